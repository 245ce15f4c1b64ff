//! An OAuth client: an agent's id and one of its secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What an agent proves itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The agent's id.
    pub id: String,
    /// The secret.
    pub secret: String,
    /// The credential that the secret belongs to; empty where it is not known.
    pub credential: String,
}

impl Client {
    /// From an answer that shows a secret.
    pub fn of_credential(body: &Value) -> Self {
        let text = |name: &str| {
            body[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} in {body}"))
                .to_owned()
        };
        Self {
            id: text("clientId"),
            secret: text("clientSecret"),
            credential: text("credentialId"),
        }
    }

    /// The same agent with another secret.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            ..self.clone()
        }
    }

    /// The value of the `Authorization` header (RFC 6749 §2.3.1). Ids and secrets hold nothing that must be encoded.
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id, self.secret)))
    }
}
