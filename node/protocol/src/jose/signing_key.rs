//! The private half of a signing key, parsed once.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use domain::SigningAlgorithm;

use super::error::JoseError;
use super::low_s;
use super::public_key::PublicKey;

/// A private key that is ready to sign; its memory belongs to aws-lc, which wipes it.
pub struct SigningKey(Parsed);

enum Parsed {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// Reads a PKCS#8 document (RFC 5208) that holds a key for this algorithm.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, JoseError> {
        let parsed = match algorithm {
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Parsed::Ed25519),
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Parsed::P256)
            }
            SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(Parsed::Rsa),
        };
        parsed.map(Self).map_err(|_| JoseError::PrivateKey(algorithm))
    }

    /// The one algorithm that the key is used with.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match self.0 {
            Parsed::Ed25519(_) => SigningAlgorithm::EdDsa,
            Parsed::P256(_) => SigningAlgorithm::Es256,
            Parsed::Rsa(_) => SigningAlgorithm::Rs256,
        }
    }

    /// How many bytes a signature has.
    pub(super) fn signature_len(&self) -> usize {
        match &self.0 {
            Parsed::Ed25519(_) | Parsed::P256(_) => 64,
            Parsed::Rsa(pair) => pair.public_modulus_len(),
        }
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        let coordinate = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).expect("a coordinate has 32 bytes");
        match &self.0 {
            Parsed::Ed25519(pair) => PublicKey::Ed25519 {
                x: coordinate(pair.public_key().as_ref()),
            },
            Parsed::P256(pair) => {
                // The uncompressed point: a 4 and the two coordinates (SEC 1 §2.3.3).
                let point = pair.public_key().as_ref();
                PublicKey::P256 {
                    x: coordinate(&point[1..33]),
                    y: coordinate(&point[33..]),
                }
            }
            Parsed::Rsa(pair) => PublicKey::Rsa {
                n: pair.public_key().modulus().big_endian_without_leading_zero().to_vec(),
                e: pair.public_key().exponent().big_endian_without_leading_zero().to_vec(),
            },
        }
    }

    /// The signature over `message`, as RFC 7518 §3.3 and §3.4 and RFC 8037 §3.1 write it.
    ///
    /// Ed25519 and RS256 signatures follow from key and message. An ES256 signature also holds a nonce that aws-lc draws
    /// itself: the one place, besides making RSA keys, where randomness does not come from the port.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let signed = match &self.0 {
            Parsed::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
            Parsed::P256(pair) => {
                let signed = pair.sign(&SystemRandom::new(), message);
                signed.map(|signature| {
                    let mut signature = signature.as_ref().to_vec();
                    low_s::make_low(&mut signature);
                    signature
                })
            }
            Parsed::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map(|()| signature)
            }
        };
        signed.map_err(|_| JoseError::Signing(self.algorithm()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::keys;

    #[test]
    fn a_key_verifies_what_it_signs_and_nothing_else() {
        for key in keys() {
            let signing = SigningKey::from_pkcs8(key.algorithm, &key.pkcs8).expect("our own");
            let verifier = signing.public_key().verifier().expect("its own half");
            let signature = signing.sign(b"message").expect("signs");
            assert!(verifier.verify_sig(b"message", &signature).is_ok());
            assert!(verifier.verify_sig(b"massage", &signature).is_err());
        }
    }

    #[test]
    fn a_private_key_of_another_algorithm_or_a_torn_one_is_refused() {
        for key in keys() {
            for other in SigningAlgorithm::ALL.iter().filter(|other| **other != key.algorithm) {
                let refused = SigningKey::from_pkcs8(*other, &key.pkcs8).err();
                assert_eq!(refused, Some(JoseError::PrivateKey(*other)));
            }
            let torn = &key.pkcs8[..key.pkcs8.len() - 1];
            assert!(SigningKey::from_pkcs8(key.algorithm, torn).is_err());
        }
    }
}
