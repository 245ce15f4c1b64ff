//! Making signing keys.

use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use domain::ports::Entropy;
use domain::{KeyId, SigningAlgorithm};
use zeroize::Zeroizing;

use super::error::JoseError;
use super::jwk;
use super::signing_key::SigningKey;

/// A new signing key.
pub struct GeneratedKey {
    /// The thumbprint of the public half.
    pub key_id: KeyId,
    /// The one algorithm that it is used with.
    pub algorithm: SigningAlgorithm,
    /// The private key (RFC 5208).
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The public half as a JWK with `kid`, `use` and `alg`.
    pub public_jwk: String,
}

/// Makes a key. Ed25519 and P-256 keys follow from `entropy` alone. RSA keys do not: aws-lc searches primes with its own
/// generator and can't be given another, so a simulation that must replay keys makes no RSA ones.
pub fn generate_key(algorithm: SigningAlgorithm, entropy: &dyn Entropy) -> Result<GeneratedKey, JoseError> {
    let pkcs8 = match algorithm {
        SigningAlgorithm::EdDsa => ed25519(entropy),
        SigningAlgorithm::Es256 => p256(entropy),
        SigningAlgorithm::Rs256 => rsa(),
    };
    known_key(algorithm, pkcs8.ok_or(JoseError::Generation(algorithm))?)
}

/// The same of a private key that was made elsewhere.
pub fn known_key(algorithm: SigningAlgorithm, pkcs8: Zeroizing<Vec<u8>>) -> Result<GeneratedKey, JoseError> {
    let public = SigningKey::from_pkcs8(algorithm, &pkcs8)?.public_key();
    Ok(GeneratedKey {
        key_id: public.thumbprint(),
        algorithm,
        pkcs8,
        public_jwk: jwk::write(&public),
    })
}

fn ed25519(entropy: &dyn Entropy) -> Option<Zeroizing<Vec<u8>>> {
    let mut seed = Zeroizing::new([0u8; 32]);
    entropy.fill(seed.as_mut());
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?;
    let document = pair.to_pkcs8v1().ok()?;
    Some(Zeroizing::new(document.as_ref().to_vec()))
}

fn p256(entropy: &dyn Entropy) -> Option<Zeroizing<Vec<u8>>> {
    // One in 2^32 draws is not below the group's order; eight in a row mean that the source is broken.
    const DRAWS_MAX: usize = 8;
    let pair = (0..DRAWS_MAX).find_map(|_| p256_pair(entropy).ok())?;
    let document = pair.to_pkcs8v1().ok()?;
    Some(Zeroizing::new(document.as_ref().to_vec()))
}

fn p256_pair(entropy: &dyn Entropy) -> Result<EcdsaKeyPair, KeyRejected> {
    let mut scalar = Zeroizing::new([0u8; 32]);
    entropy.fill(scalar.as_mut());
    // Only the key agreement half of the library derives a public point from a private number.
    let public = agreement::PrivateKey::from_private_key(&ECDH_P256, scalar.as_ref())?.compute_public_key()?;
    EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, scalar.as_ref(), public.as_ref())
}

fn rsa() -> Option<Zeroizing<Vec<u8>>> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
    let document: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    Some(Zeroizing::new(document.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Seeded;

    struct Broken;
    impl Entropy for Broken {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn the_same_entropy_makes_the_same_key_and_other_entropy_another() {
        for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
            let make = |seed| generate_key(algorithm, &Seeded::new(seed)).expect("generated");
            assert_eq!(*make(1).pkcs8, *make(1).pkcs8);
            assert_ne!(make(1).key_id, make(2).key_id);
        }
    }

    #[test]
    fn every_rsa_key_is_another() {
        let make = || generate_key(SigningAlgorithm::Rs256, &Seeded::new(1)).expect("generated");
        assert_ne!(make().key_id, make().key_id);
    }

    #[test]
    fn a_source_that_never_gives_a_p_256_scalar_is_reported() {
        let error = generate_key(SigningAlgorithm::Es256, &Broken).err();
        assert_eq!(error, Some(JoseError::Generation(SigningAlgorithm::Es256)));
    }
}
