//! What an issuer says about itself: metadata (RFC 8414) and keys (RFC 7517).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An issuer's metadata (RFC 8414 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Who it is; the `iss` of its tokens.
    pub issuer: String,
    /// Where tokens are issued.
    pub token_endpoint: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// Where tokens are introspected.
    pub introspection_endpoint: Option<String>,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<String>,
    /// The scopes that exist.
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    /// The grants that work.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// How clients may authenticate.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// All else that it says.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The keys that live tokens may be signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl Jwks {
    /// The key with this id.
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))
    }
}

/// A public key (RFC 7517 §4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The family: `OKP`, `EC` or `RSA`.
    pub kty: String,
    /// Its name in the header of tokens.
    pub kid: Option<String>,
    /// The only algorithm that it is used with.
    pub alg: Option<String>,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    pub key_use: Option<String>,
    /// The key itself, by the parameters of its family.
    #[serde(flatten)]
    pub parameters: Map<String, Value>,
}
