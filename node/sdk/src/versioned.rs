//! A value and the revision that it has on the server.

use std::fmt;
use std::ops::Deref;

/// A revision of an entity (RFC 9110 §8.8.3), to be sent back with a change that must not overwrite another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// From the text of a header. A bare word is put in quotation marks; what can't stand in a header is refused.
    pub fn parse(text: &str) -> Option<Self> {
        let is_sane = !text.is_empty() && text.len() <= 256 && text.chars().all(|c| c.is_ascii_graphic());
        let is_quoted = text.len() >= 2 && text.ends_with('"') && (text.starts_with('"') || text.starts_with("W/\""));
        match (is_sane, is_quoted) {
            (true, true) => Some(Self(text.to_owned())),
            (true, false) if !text.contains('"') => Some(Self(format!("\"{text}\""))),
            _ => None,
        }
    }

    /// The text for `If-Match`, quotation marks included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value with its revision, if the server told one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its revision.
    pub etag: Option<ETag>,
}

impl<T> Deref for Versioned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_word_is_quoted_and_nothing_that_breaks_a_header_is_taken() {
        let text = |input: &str| ETag::parse(input).map(|tag| tag.to_string());
        assert_eq!(text("7").as_deref(), Some("\"7\""));
        assert_eq!(text("\"7\"").as_deref(), Some("\"7\""));
        assert_eq!(text("W/\"7\"").as_deref(), Some("W/\"7\""));
        for bad in ["", "\"", "7\"", "a b", "7\r\nX: y", "ä"] {
            assert_eq!(text(bad), None, "{bad:?}");
        }
    }
}
