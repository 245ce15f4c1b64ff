//! The first keys of an installation, before they are sealed.

use domain::{KeyId, SigningAlgorithm};
use zeroize::Zeroizing;

/// A signing key that was just made.
pub struct NewSigningKey {
    /// The `kid` of its public half.
    pub key_id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The private half, PKCS#8.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The public half as a JWK (RFC 7517), JSON.
    pub public_jwk: String,
}

/// What an installation needs before it can issue its first token.
pub struct Bootstrap {
    /// The first signing keys, one for each algorithm; they are current at once, since nobody can know older ones.
    pub keys: Vec<NewSigningKey>,
    /// The key of the keyed digests under which client secrets are stored.
    pub digest_key: Zeroizing<[u8; 32]>,
}
