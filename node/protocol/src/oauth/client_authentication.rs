//! Who a client says it is and whether that is true (RFC 6749 §2.3).
//!
//! An unknown client and a wrong secret are answered alike and cost the same work, so nobody learns by trying which
//! clients exist.

use domain::{AgentId, ClientRecord, CredentialId, Secret, StoredCredential, Timestamp};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::basic::{self, Basic};
use super::error::OAuthError;
use super::form::Form;
use crate::client_secrets::ClientSecrets;

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthMethod {
    /// The `Authorization` header.
    ClientSecretBasic,
    /// The request body.
    ClientSecretPost,
}

impl ClientAuthMethod {
    /// Every method.
    pub const ALL: &'static [ClientAuthMethod] = &[Self::ClientSecretBasic, Self::ClientSecretPost];

    /// The name in metadata documents (RFC 7591 §2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }
}

/// What a client presents; nothing of it has been checked.
#[derive(Clone)]
pub struct PresentedClient {
    /// Who it says it is. [`PresentedClient::NOBODY`] if what it sent is not a UUID.
    pub client_id: AgentId,
    /// What it says proves it.
    pub secret: Secret,
    /// How it was sent.
    pub method: ClientAuthMethod,
}

impl PresentedClient {
    /// Stands for a client id that no agent can have, so that it is looked up, found missing and refused with the same
    /// work as any other client that does not exist.
    pub const NOBODY: AgentId = AgentId(Uuid::nil());
}

/// Takes the client's id and secret from the header or the body. `invalid_client` if there are none or they can't be
/// read, `invalid_request` if there are two.
pub fn presented_client(authorization: Option<&str>, form: &Form) -> Result<PresentedClient, OAuthError> {
    match authorization {
        Some(header) => from_header(basic::parse(header)?, form),
        None => from_body(form),
    }
}

fn from_header(basic: Basic, form: &Form) -> Result<PresentedClient, OAuthError> {
    if form.get("client_secret").is_some() {
        return Err(OAuthError::invalid_request(
            "Authenticate in the Authorization header or in the body, not in both.",
        ));
    }
    if form.get("client_id").is_some_and(|id| id != basic.id.as_str()) {
        return Err(OAuthError::invalid_request(
            "Leave client_id out of the body, or send the one of the Authorization header.",
        ));
    }
    Ok(PresentedClient {
        client_id: client_id(&basic.id),
        secret: Secret::new(basic.secret.as_str()),
        method: ClientAuthMethod::ClientSecretBasic,
    })
}

fn from_body(form: &Form) -> Result<PresentedClient, OAuthError> {
    let (Some(id), Some(secret)) = (form.get("client_id"), form.get("client_secret")) else {
        return Err(OAuthError::invalid_client(
            "Authenticate the client: with the Basic scheme, or with client_id and client_secret in the body.",
        ));
    };
    Ok(PresentedClient {
        client_id: client_id(id),
        secret: Secret::new(secret),
        method: ClientAuthMethod::ClientSecretPost,
    })
}

/// Only the hyphenated form is an agent's id; the other ways to write a UUID would be aliases.
fn client_id(text: &str) -> AgentId {
    const HYPHENATED_BYTES: usize = 36;
    if text.len() != HYPHENATED_BYTES {
        return PresentedClient::NOBODY;
    }
    text.parse().unwrap_or(PresentedClient::NOBODY)
}

/// Which of the client's credentials the presented secret opens at `now`. Looks at no status but the credentials' own.
pub fn authenticate(
    record: Option<&ClientRecord>,
    presented: &PresentedClient,
    secrets: &ClientSecrets,
    now: Timestamp,
) -> Result<CredentialId, OAuthError> {
    opened(record, presented, secrets, now).map(|(_, stored)| stored.credential.credential_id)
}

/// The client and the credential that the presented secret opens.
pub(super) fn opened<'a>(
    record: Option<&'a ClientRecord>,
    presented: &PresentedClient,
    secrets: &ClientSecrets,
    now: Timestamp,
) -> Result<(&'a ClientRecord, &'a StoredCredential), OAuthError> {
    let digest = secrets.digest(&presented.secret);
    let known = record.filter(|record| {
        record.agent.agent_id == presented.client_id && presented.client_id != PresentedClient::NOBODY
    });
    if known.is_none_or(|record| record.credentials.is_empty()) {
        // As much work as one credential costs: a comparison with the present and one with the former secret.
        let dummy = std::hint::black_box([0; 32]);
        std::hint::black_box(digest.0.ct_eq(&dummy) | digest.0.ct_eq(&dummy));
    }
    // Every credential is looked at, so the time does not tell which one matched.
    known
        .into_iter()
        .flat_map(|record| record.credentials.iter().map(move |stored| (record, stored)))
        .filter(|(_, stored)| stored.accepts(&digest, now))
        .fold(None, |first, found| first.or(Some(found)))
        .ok_or_else(|| {
            OAuthError::invalid_client(
                "The client id or the secret is wrong, or the credential has expired or was revoked.",
            )
        })
}

#[cfg(test)]
mod tests;
