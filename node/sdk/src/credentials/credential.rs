//! A credential as the server describes it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ids::{AgentId, CredentialId};
use crate::secret::Secret;
use crate::timestamp::Timestamp;

open_enum! {
    /// Where a credential stands. One that has expired is still `active` here and refused all the same.
    CredentialStatus {
        /// Can be used until it expires.
        Active = "active",
        /// Never again.
        Revoked = "revoked",
    }
}

/// A client secret's description, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Identifies it.
    pub credential_id: CredentialId,
    /// The agent that it authenticates.
    pub client_id: AgentId,
    /// Where it stands.
    pub status: CredentialStatus,
    /// If there, tokens taken with it hold at most these scopes; names separated by spaces.
    #[serde(default, deserialize_with = "text_or_list", skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When a token was last taken with it; may be late by a minute.
    pub last_used_at: Option<Timestamp>,
    /// Members that this version of the client does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A credential at the one moment at which its secret is shown. It does not print.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedCredential {
    /// The client secret. Keep it now: nobody can show it again.
    pub client_secret: Secret,
    /// The credential.
    #[serde(flatten)]
    pub credential: Credential,
}

/// Names in a list, or in one text with spaces between them.
fn text_or_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scopes {
        Text(String),
        List(Vec<String>),
    }
    Ok(Option::<Scopes>::deserialize(deserializer)?.map(|scopes| match scopes {
        Scopes::Text(text) => text,
        Scopes::List(list) => list.join(" "),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(scopes: Value) -> Value {
        serde_json::json!({
            "credentialId": "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d", "clientId": "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6e",
            "status": "active", "scopes": scopes, "createdAt": "2026-01-31T12:00:00.000Z", "expiresAt": null,
            "revokedAt": null, "lastUsedAt": null, "clientSecret": "sk_live_x",
        })
    }

    #[test]
    fn the_secret_is_not_among_what_prints() {
        let issued: IssuedCredential = serde_json::from_value(json(Value::Null)).expect("a credential");
        assert_eq!(issued.client_secret.expose(), "sk_live_x");
        assert!(!format!("{:?}", issued.credential).contains("sk_live"));
    }

    #[test]
    fn scopes_come_as_a_text_or_as_a_list() {
        let scopes = |value| {
            serde_json::from_value::<Credential>(json(value))
                .expect("a credential")
                .scopes
        };
        assert_eq!(scopes("a b".into()).as_deref(), Some("a b"));
        assert_eq!(scopes(serde_json::json!(["a", "b"])).as_deref(), Some("a b"));
        assert_eq!(scopes(Value::Null), None);
    }
}
