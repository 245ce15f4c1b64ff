//! Signing keys as the rest of the system sees them: opened with the master key.

pub use domain::KeyState;
use domain::{KeyId, KeyTerms, Revision, SigningAlgorithm};
use zeroize::Zeroizing;

use crate::sealing::SealingError;

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
    /// The private half, PKCS#8: absent once the key is retired, and an error where no master key opens it.
    pub pkcs8: Result<Option<Zeroizing<Vec<u8>>>, SealingError>,
}

/// All signing keys at one moment.
#[derive(Clone)]
pub struct OpenedRing {
    /// The keys.
    pub keys: Vec<OpenedKey>,
    /// What is promised to whoever verifies tokens.
    pub terms: KeyTerms,
    /// The revision at which any of this was last changed.
    pub changed_at: Revision,
}
