//! Client secrets: how they are made and what is kept of them.
//!
//! A secret holds 256 random bits, so nobody can guess one from its digest and a slow password hash would add nothing.
//! What is kept is HMAC-SHA-256 under the installation's digest key: a stolen table alone verifies nothing.

use aws_lc_rs::hmac;
use domain::ports::Entropy;
use domain::{Secret, SecretDigest};

/// The installation's digest key, ready for use.
#[derive(Clone)]
pub struct ClientSecrets {
    key: hmac::Key,
}

impl ClientSecrets {
    /// What every secret begins with, so that people and secret scanners recognise one.
    pub const PREFIX: &'static str = "sk_live_";
    /// How many random bytes a secret holds.
    pub const RANDOM_BYTES: usize = 32;

    /// Prepares the installation's digest key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// What is kept of `secret`, and what a presented one is compared by.
    pub fn digest(&self, secret: &Secret) -> SecretDigest {
        let tag = hmac::sign(&self.key, secret.expose().as_bytes());
        let mut digest = [0u8; 32];
        digest.copy_from_slice(tag.as_ref());
        SecretDigest(digest)
    }

    /// A fresh secret: [`Self::PREFIX`] and 64 hexadecimal digits.
    pub fn mint(entropy: &dyn Entropy) -> Secret {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut random = zeroize::Zeroizing::new([0u8; Self::RANDOM_BYTES]);
        entropy.fill(random.as_mut());
        // The exact capacity, so that no half-written copy is left behind by a growing string.
        let mut text = String::with_capacity(Self::PREFIX.len() + 2 * Self::RANDOM_BYTES);
        text.push_str(Self::PREFIX);
        for byte in random.iter() {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        Secret::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (byte, value) in bytes.iter_mut().zip(0..) {
                *byte = value;
            }
        }
    }

    #[test]
    fn a_minted_secret_is_the_prefix_and_64_hexadecimal_digits() {
        let secret = ClientSecrets::mint(&Counting);
        assert_eq!(
            secret.expose(),
            "sk_live_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        );
    }

    #[test]
    fn the_digest_is_hmac_sha_256() {
        // RFC 4231 §4.2 has a 20-byte key; HMAC pads a key with zeros, so the padded one gives the same tag.
        let mut key = [0u8; 32];
        key[..20].fill(0x0b);
        let digest = ClientSecrets::new(&key).digest(&Secret::new("Hi There"));
        assert_eq!(digest.0[..8], [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53]);
    }

    #[test]
    fn the_digest_depends_on_the_key() {
        let secret = Secret::new("sk_live_x");
        let one = ClientSecrets::new(&[1; 32]).digest(&secret);
        let other = ClientSecrets::new(&[2; 32]).digest(&secret);
        assert!(one != other);
    }
}
