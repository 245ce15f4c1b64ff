//! How a client is put together.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::client::{Client, Identity, Inner};
use crate::clock::{Clock, TokioClock};
use crate::error::{Error, Misconfiguration};
use crate::retry::RetryPolicy;
use crate::secret::Secret;
use crate::token_cache::TokenCache;
use crate::transport::{Issuer, Transport, TransportOptions, form_encoded};

/// The longest client id and the longest secret, in bytes.
const CREDENTIAL_MAX: usize = 1024;

/// Collects what a [`Client`] is to be like.
pub struct ClientBuilder {
    issuer: String,
    credentials: Option<(String, Secret)>,
    scopes: Option<String>,
    timeout: Duration,
    connect_timeout: Duration,
    retries: RetryPolicy,
    clock: Arc<dyn Clock>,
    user_agent: String,
    trusted_pem: Option<Vec<u8>>,
    shown_pem: Option<Zeroizing<Vec<u8>>>,
    plain_http_allowed: bool,
}

impl ClientBuilder {
    pub(crate) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            credentials: None,
            scopes: None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            retries: RetryPolicy::default(),
            clock: Arc::new(TokioClock::new()),
            user_agent: concat!("agentidp-sdk-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            trusted_pem: None,
            shown_pem: None,
            plain_http_allowed: false,
        }
    }

    /// Who the client is. Without this it can only see what is public.
    #[must_use]
    pub fn credentials(mut self, client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        self.credentials = Some((client_id.into(), client_secret.into()));
        self
    }

    /// The scopes of the tokens that the client takes for its own calls. Without this, each call takes a token with the
    /// least that it needs, which is safer and means a token for each set of scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = Some(scopes.join(" "));
        self
    }

    /// How long one try may take, from connecting to the last byte; 30 s unless told otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take; 5 s unless told otherwise.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often a call is tried.
    #[must_use]
    pub fn retries(mut self, policy: RetryPolicy) -> Self {
        self.retries = policy;
        self
    }

    /// Whose time it is; the async runtime's unless told otherwise. Time-outs of the network stay with the runtime.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What the client calls itself in the server's audit log.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Certificates of a private authority, in PEM, that are trusted beside the machine's own.
    #[must_use]
    pub fn trust_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trusted_pem = Some(pem.into());
        self
    }

    /// The certificate that the client shows where it is asked for one (RFC 8446 §4.3.2), and its private key, both in PEM.
    #[must_use]
    pub fn client_certificate(mut self, certificate_pem: impl AsRef<[u8]>, key_pem: impl AsRef<[u8]>) -> Self {
        let both = [certificate_pem.as_ref(), b"\n", key_pem.as_ref()].concat();
        self.shown_pem = Some(Zeroizing::new(both));
        self
    }

    /// Lets secrets and tokens travel over plain http to other machines. Only for networks that encrypt by themselves.
    #[must_use]
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http_allowed = true;
        self
    }

    /// The client. Nothing is sent yet.
    pub fn build(self) -> Result<Client, Error> {
        let issuer = Issuer::parse(&self.issuer, self.plain_http_allowed)?;
        let identity = self.credentials.map(|(id, secret)| identity(id, &secret)).transpose()?;
        let options = TransportOptions {
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            user_agent: self.user_agent,
            trusted_pem: self.trusted_pem,
            shown_pem: self.shown_pem,
        };
        Ok(Client::of(Inner {
            transport: Transport::new(issuer, options)?,
            identity,
            scopes: self.scopes,
            retries: self.retries,
            clock: self.clock,
            tokens: TokenCache::default(),
        }))
    }
}

/// The header of RFC 6749 §2.3.1: both halves form-encoded before they are joined.
fn identity(client_id: String, secret: &Secret) -> Result<Identity, Misconfiguration> {
    for text in [client_id.as_str(), secret.expose()] {
        if text.is_empty() || text.len() > CREDENTIAL_MAX {
            return Err(Misconfiguration::Credentials);
        }
    }
    let joined = Zeroizing::new(
        [
            form_encoded(&client_id).as_str(),
            form_encoded(secret.expose()).as_str(),
        ]
        .join(":"),
    );
    let encoded = Zeroizing::new(STANDARD.encode(joined.as_bytes()));
    Ok(Identity {
        client_id,
        basic: Secret::new(format!("Basic {}", encoded.as_str())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_the_header_are_form_encoded() {
        let identity = identity("a:b".to_owned(), &Secret::new("c d%")).expect("credentials");
        assert_eq!(
            identity.basic.expose(),
            format!("Basic {}", STANDARD.encode("a%3Ab:c+d%25"))
        );
    }

    #[test]
    fn credentials_have_a_size() {
        for (id, secret) in [
            ("", "s".to_owned()),
            ("a", String::new()),
            ("a", "s".repeat(CREDENTIAL_MAX + 1)),
        ] {
            let result = ClientBuilder::new("https://idp.example")
                .credentials(id, secret)
                .build();
            assert_eq!(result.err(), Some(Misconfiguration::Credentials.into()));
        }
        assert!(
            ClientBuilder::new("https://idp.example")
                .credentials("a", "s".repeat(CREDENTIAL_MAX))
                .build()
                .is_ok()
        );
    }
}
