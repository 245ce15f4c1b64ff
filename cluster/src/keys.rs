//! Signing keys as the rest of the system sees them: opened with the master key.

use domain::{KeyId, SigningAlgorithm, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where a signing key stands in its life. The order of the variants is part of the log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyState {
    /// In the JWKS, so that verifiers learn it before its first signature.
    Published,
    /// Signs. There is one for each algorithm.
    Current,
    /// Signs no longer, but is in the JWKS until the last token that it signed has expired.
    Retired,
}

/// A signing key of the replicated state, opened.
#[derive(Clone)]
pub struct OpenedKey {
    /// The `kid`.
    pub key_id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Where it stands.
    pub state: KeyState,
    /// The public half as a JWK, JSON.
    pub public_jwk: String,
    /// The private half, PKCS#8; gone once the key is retired.
    pub pkcs8: Option<Zeroizing<Vec<u8>>>,
    /// When it was published.
    pub published_at: Timestamp,
    /// When it began to sign.
    pub current_since: Option<Timestamp>,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
}
