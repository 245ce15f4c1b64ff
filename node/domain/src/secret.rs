//! A secret text. It has no `Debug`, `Display` or `Serialize`, is compared in constant time and wiped when dropped.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret such as a client secret or a bearer token. The only way to its text is [`Secret::expose`], so that every
/// place that looks at one can be found by name.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes possession of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}
