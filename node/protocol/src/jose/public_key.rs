//! The public half of a signing key: its parts, its thumbprint, and how it checks a signature.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};
use domain::{KeyId, SigningAlgorithm};

use super::encoding::encode;
use super::error::JoseError;

/// A public key in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RFC 8037 §2.
    Ed25519 {
        /// The encoded point (RFC 8032 §5.1.5).
        x: [u8; 32],
    },
    /// RFC 7518 §6.2.
    P256 {
        /// The point's first coordinate, big-endian.
        x: [u8; 32],
        /// The point's second coordinate, big-endian.
        y: [u8; 32],
    },
    /// RFC 7518 §6.3.
    Rsa {
        /// The modulus, big-endian without leading zeros.
        n: Vec<u8>,
        /// The exponent, big-endian without leading zeros.
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// The one algorithm that the key is used with.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::Ed25519 { .. } => SigningAlgorithm::EdDsa,
            Self::P256 { .. } => SigningAlgorithm::Es256,
            Self::Rsa { .. } => SigningAlgorithm::Rs256,
        }
    }

    /// RFC 7638: SHA-256 over the required members in alphabetical order.
    pub fn thumbprint(&self) -> KeyId {
        let members = match self {
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
            Self::P256 { x, y } => {
                format!(
                    r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                    encode(x),
                    encode(y)
                )
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        };
        KeyId(encode(digest::digest(&digest::SHA256, members.as_bytes()).as_ref()))
    }

    /// The key as aws-lc-rs wants it, parsed once. Fails for what is no key of its kind: a point that is not on the
    /// curve, a modulus that is no RSA modulus.
    pub(super) fn verifier(&self) -> Result<ParsedPublicKey, JoseError> {
        let parsed = match self {
            Self::Ed25519 { x } => ParsedPublicKey::new(&signature::ED25519, x),
            Self::P256 { x, y } => {
                let uncompressed = [&[4u8][..], x, y].concat();
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, uncompressed)
            }
            Self::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
            }
        };
        parsed.map_err(|_| JoseError::PublicKey(self.algorithm()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoding::decode;
    use super::*;

    #[test]
    fn the_thumbprint_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn\
                 jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6\
                 qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a\
                 wapJzKnqDKgw";
        let key = PublicKey::Rsa {
            n: decode(n).expect("base64url"),
            e: decode("AQAB").expect("base64url"),
        };
        assert_eq!(key.thumbprint().0, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert!(key.verifier().is_ok());
    }

    #[test]
    fn the_thumbprint_of_rfc_8037_appendix_a_3() {
        let x = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("base64url");
        let key = PublicKey::Ed25519 {
            x: x.try_into().expect("32 bytes"),
        };
        assert_eq!(key.thumbprint().0, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let off_the_curve = PublicKey::P256 { x: [1; 32], y: [1; 32] };
        let empty = PublicKey::Rsa { n: vec![], e: vec![] };
        for key in [off_the_curve, empty] {
            assert_eq!(key.verifier().err(), Some(JoseError::PublicKey(key.algorithm())));
        }
    }
}
