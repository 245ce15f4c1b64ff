//! A name as the log holds it, which is not always one that we gave it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name in a row of the log. Whoever may write into the database can put any text there; it is kept as it is, so that
/// the hash tells that the row was tampered with, and so that whoever reads the log sees what it says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded<T> {
    /// One of the names that this version writes.
    Known(T),
    /// Any other text.
    Other(String),
}

impl<T: FromStr> Recorded<T> {
    /// Takes a name out of the store.
    pub fn from_stored(text: String) -> Self {
        text.parse().map_or_else(|_| Self::Other(text), Self::Known)
    }
}

impl<T: Copy> Recorded<T> {
    /// The value, if it is one that this version knows.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Other(_) => None,
        }
    }
}

impl<T: Copy + Into<&'static str>> Recorded<T> {
    /// The text, byte for byte as it is hashed.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(value) => (*value).into(),
            Self::Other(text) => text,
        }
    }
}

impl<T> From<T> for Recorded<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

/// What is unknown is no value at all.
impl<T: PartialEq> PartialEq<T> for Recorded<T> {
    fn eq(&self, other: &T) -> bool {
        matches!(self, Self::Known(value) if value == other)
    }
}

impl<T: Copy + Into<&'static str>> fmt::Display for Recorded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T: Copy + Into<&'static str>> Serialize for Recorded<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Recorded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from_stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Action;

    #[test]
    fn a_text_comes_back_byte_for_byte_whether_it_is_known_or_not() {
        for (text, known) in [
            ("token.issued", Some(Action::TokenIssued)),
            ("Token.issued", None),
            ("", None),
            ("agent.created\n\"", None),
        ] {
            let recorded: Recorded<Action> = Recorded::from_stored(text.to_owned());
            assert_eq!((recorded.as_str(), recorded.known()), (text, known));
            let json = serde_json::to_string(&recorded).expect("JSON");
            assert_eq!(
                serde_json::from_str::<Recorded<Action>>(&json).expect("a name"),
                recorded
            );
        }
    }

    #[test]
    fn only_what_is_known_equals_a_value() {
        assert_eq!(Recorded::Known(Action::TokenIssued), Action::TokenIssued);
        assert_ne!(Recorded::Other("token.issued".to_owned()), Action::TokenIssued);
    }
}
