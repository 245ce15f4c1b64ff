//! A private key on its way to a file.

use zeroize::Zeroizing;

/// A private key as PEM (PKCS#8). Has no `Debug`, `Display` or `Serialize`, and is wiped when dropped.
#[derive(Clone)]
pub struct PrivateKeyPem(Zeroizing<String>);

impl PrivateKeyPem {
    pub(super) fn of(pair: &rcgen::KeyPair) -> Self {
        Self(Zeroizing::new(pair.serialize_pem()))
    }

    /// The text, for the file that it is kept in.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
