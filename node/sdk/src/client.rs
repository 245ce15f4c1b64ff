//! The client: authentication, repetition, and the doors to the parts of the API.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crate::agents::Agents;
use crate::audit::Audit;
use crate::builder::ClientBuilder;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::discovery::{Jwks, Metadata};
use crate::error::{Error, MalformedResponse, Misconfiguration, TransportFailure};
use crate::health::Health;
use crate::ids::AgentId;
use crate::retry::RetryPolicy;
use crate::secret::Secret;
use crate::token_cache::{CachedToken, TokenCache};
use crate::tokens::{TokenRequest, Tokens};
use crate::transport::{Call, Repeat, Response, Transport};

/// A client of one issuer. Cheap to clone; clones share connections and tokens.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub transport: Transport,
    pub identity: Option<Identity>,
    pub scopes: Option<String>,
    pub retries: RetryPolicy,
    pub clock: Arc<dyn Clock>,
    pub tokens: TokenCache,
}

/// Who the client is.
pub(crate) struct Identity {
    pub client_id: String,
    /// The `Authorization` header of OAuth endpoints.
    pub basic: Secret,
}

impl Client {
    /// Starts to put a client together. `issuer` is the address at which the provider is reached, such as
    /// `https://idp.example` or `http://127.0.0.1:3000`.
    pub fn builder(issuer: &str) -> ClientBuilder {
        ClientBuilder::new(issuer)
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The issuer, without a slash at the end.
    pub fn issuer(&self) -> &str {
        self.0.transport.issuer().as_str()
    }

    /// Who the client is, if it was given credentials.
    pub fn client_id(&self) -> Option<&str> {
        self.0.identity.as_ref().map(|identity| identity.client_id.as_str())
    }

    /// A token with these scopes, from the cache while it is good; for showing to resource servers. No scopes means the
    /// server's default.
    pub async fn access_token(&self, scopes: &[&str]) -> Result<Secret, Error> {
        Ok(self.token(&scopes.join(" ")).await?.secret.clone())
    }

    /// Issues, introspects and revokes tokens.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens::of(self)
    }

    /// Registers and changes agents.
    pub fn agents(&self) -> Agents<'_> {
        Agents::of(self)
    }

    /// Makes, rotates and revokes the credentials of an agent.
    pub fn credentials(&self, agent: AgentId) -> Credentials<'_> {
        Credentials::of(self, agent)
    }

    /// Reads the audit log.
    pub fn audit(&self) -> Audit<'_> {
        Audit::of(self)
    }

    /// Asks a node how it feels.
    pub fn health(&self) -> Health<'_> {
        Health::of(self)
    }

    /// What the issuer says about itself (RFC 8414). Fails if it says that it is somebody else (§3.3).
    pub async fn discover(&self) -> Result<Metadata, Error> {
        let metadata: Metadata = self
            .send(&Call::get("/.well-known/oauth-authorization-server"), None)
            .await?
            .json()?;
        if metadata.issuer.trim_end_matches('/') != self.issuer() {
            return Err(MalformedResponse::Issuer { found: metadata.issuer }.into());
        }
        Ok(metadata)
    }

    /// The keys with which the issuer's tokens are verified (RFC 7517).
    pub async fn jwks(&self) -> Result<Jwks, Error> {
        self.send(&Call::get("/.well-known/jwks.json"), None).await?.json()
    }

    /// Sends a call in the client's own name (RFC 6749 §2.3.1).
    pub(crate) async fn send_as_client(&self, call: Call) -> Result<Response, Error> {
        let identity = self.0.identity.as_ref().ok_or(Misconfiguration::NoCredentials)?;
        self.send(&call, Some(identity.basic.expose())).await
    }

    /// Sends a call with a bearer token that holds at least `scope`, and once more with one that holds more if the server
    /// says that this call needs it; unless the client was told which scopes to use, or may not have them.
    pub(crate) async fn send_with_token(&self, call: Call, scope: &str) -> Result<Response, Error> {
        if let Some(told) = &self.0.scopes {
            return self.send_with_scope(&call, told).await;
        }
        let answer = self.send_with_scope(&call, scope).await?;
        let Some(needed) = answer.lacks_scope().filter(|needed| *needed != scope) else {
            return Ok(answer);
        };
        match self.send_with_scope(&call, needed).await {
            Err(Error::OAuth { error, .. }) if error == "invalid_scope" => Ok(answer),
            result => result,
        }
    }

    /// Sends a call with a bearer token. One that is refused is replaced, once.
    async fn send_with_scope(&self, call: &Call, scope: &str) -> Result<Response, Error> {
        let token = self.token(scope).await?;
        let answer = self.send(call, Some(&bearer(&token))).await?;
        if !answer.refuses_token() {
            return Ok(answer);
        }
        self.0.tokens.slot(scope).forget(&token);
        let token = self.token(scope).await?;
        let answer = self.send(call, Some(&bearer(&token))).await?;
        if answer.refuses_token() {
            self.0.tokens.slot(scope).forget(&token);
        }
        Ok(answer)
    }

    /// Sends a call with a bearer token that was given by hand.
    pub(crate) async fn send_with_bearer(&self, call: Call, token: &Secret) -> Result<Response, Error> {
        let header = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
        self.send(&call, Some(&header)).await
    }

    /// Sends a call with what is public only.
    pub(crate) async fn send_in_public(&self, call: Call) -> Result<Response, Error> {
        self.send(&call, None).await
    }

    async fn token(&self, scope: &str) -> Result<Arc<CachedToken>, Error> {
        let slot = self.0.tokens.slot(scope);
        slot.get(self.0.clock.as_ref(), || self.fetch_token(scope)).await
    }

    async fn fetch_token(&self, scope: &str) -> Result<CachedToken, Error> {
        let asked_at = self.0.clock.monotonic();
        let issued = self.tokens().issue(&TokenRequest::new().scope(scope)).await?;
        Ok(CachedToken::new(
            issued.access_token,
            asked_at,
            Duration::from_secs(issued.expires_in),
        ))
    }

    /// Sends a call as often as it takes and may be.
    async fn send(&self, call: &Call, authorization: Option<&str>) -> Result<Response, Error> {
        let (mut tries, mut is_repeated) = (0, false);
        loop {
            let result = self.0.transport.exchange(call, authorization).await;
            tries += 1;
            let Some(wait) = self.wait_after(tries, call.repeat, &result) else {
                return result.map(|answer| answer.after_repetition(is_repeated));
            };
            is_repeated |= !was_not_acted_upon(&result);
            self.0.clock.sleep(wait).await;
        }
    }

    fn wait_after(&self, tries: u32, repeat: Repeat, result: &Result<Response, Error>) -> Option<Duration> {
        let may_repeat = match (repeat, result) {
            (Repeat::Never, _) => false,
            (_, Err(Error::Transport(error))) if error.failure == TransportFailure::Connect => true,
            (Repeat::WhenUnsent, _) => false,
            (Repeat::WhenBusy, Ok(answer)) => answer.is_busy(),
            (Repeat::WhenBusy, Err(error)) => matches!(error, Error::Transport(_)),
        };
        let retry_after = result.as_ref().ok().and_then(Response::retry_after);
        may_repeat
            .then(|| self.0.retries.wait_after(tries, retry_after, random()))
            .flatten()
    }
}

impl fmt::Debug for Client {
    /// The issuer and who the client is; never a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("issuer", &self.issuer())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

fn bearer(token: &CachedToken) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(format!("Bearer {}", token.secret.expose()))
}

/// Whether a try certainly changed nothing: it was not sent, or it was turned away at the door.
fn was_not_acted_upon(result: &Result<Response, Error>) -> bool {
    match result {
        Ok(answer) => answer.status() == 429,
        Err(Error::Transport(error)) => error.failure == TransportFailure::Connect,
        Err(_) => false,
    }
}

/// A number that differs from process to process and call to call: enough to spread retries, never used for a secret.
fn random() -> u64 {
    RandomState::new().hash_one(())
}
