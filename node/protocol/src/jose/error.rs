//! What can go wrong with our own keys. None of it is a caller's fault, and no message holds key material.

use domain::{KeyId, SigningAlgorithm};

/// Why a key, a ring of keys or a signature could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The cryptographic library could not make a key.
    #[error("no {0} key could be generated")]
    Generation(SigningAlgorithm),
    /// The private key can't be read.
    #[error("the private key is not a {0} key in PKCS#8; restore it from a backup or rotate the signing keys")]
    PrivateKey(SigningAlgorithm),
    /// The public key can't be read.
    #[error("the public key is not a JWK for {0} with nothing but public members")]
    PublicKey(SigningAlgorithm),
    /// The key's id is not the thumbprint of its public half.
    #[error("the key {0} does not have its own thumbprint as its id")]
    KeyIdMismatch(KeyId),
    /// The two halves of a key are of different keys.
    #[error("the private and the public half of the key {0} do not belong together")]
    HalvesMismatch(KeyId),
    /// One key is in the ring twice.
    #[error("the key {0} is in the ring twice")]
    DuplicateKey(KeyId),
    /// Two keys claim to be the one to sign with.
    #[error("two keys are current for {0}; exactly one may be")]
    TwoCurrentKeys(SigningAlgorithm),
    /// The key to sign with has no private half.
    #[error("the current key {0} has no private half")]
    CurrentKeyWithoutPrivateHalf(KeyId),
    /// There is no key to sign with.
    #[error("there is no current key for {0}")]
    NoCurrentKey(SigningAlgorithm),
    /// The claims can't be written as JSON.
    #[error("the claims can't be written as JSON")]
    Claims,
    /// The cryptographic library could not sign.
    #[error("signing with {0} failed")]
    Signing(SigningAlgorithm),
}
