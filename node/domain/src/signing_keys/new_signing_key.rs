//! A key before it is sealed.

use zeroize::Zeroizing;

use crate::entities::SigningAlgorithm;
use crate::ids::KeyId;

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
