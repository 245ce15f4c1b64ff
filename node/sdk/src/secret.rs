//! A secret text: it does not print, does not serialize, and is wiped when dropped.

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A client secret or a token. It has no `Debug`, `Display` or `Serialize`; the only way to its text is
/// [`Secret::expose`], so that every place that looks at one can be found by name.
///
/// ```compile_fail
/// println!("{:?}", sdk::Secret::new("sk_live_…"));
/// ```
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

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
