//! What is answered when a token is asked for.

use serde::Deserialize;

use crate::secret::Secret;

/// An issued token (RFC 6749 §5.1). It holds secrets, so it does not print.
#[derive(Clone, Deserialize)]
pub struct TokenResponse {
    /// The token.
    pub access_token: Secret,
    /// How it is to be shown: `Bearer`.
    pub token_type: String,
    /// How long it lives, in seconds from the moment it was issued.
    pub expires_in: u64,
    /// The scopes that it holds, separated by spaces, if the server told.
    pub scope: Option<String>,
    /// The ID token, if `openid` was asked for.
    pub id_token: Option<Secret>,
}
