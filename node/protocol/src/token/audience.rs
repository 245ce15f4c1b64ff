//! The `aud` claim (RFC 7519 §4.1.3): one string, or an array of them.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whom a token is meant for. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(Vec<String>);

impl Audience {
    /// A token that names no resource is meant for its issuer.
    pub fn new(resources: &[String], issuer: &str) -> Self {
        if resources.is_empty() {
            Self(vec![issuer.to_owned()])
        } else {
            Self(resources.to_vec())
        }
    }

    /// Whether the token is meant for `audience`.
    pub fn contains(&self, audience: &str) -> bool {
        self.0.iter().any(|one| one == audience)
    }

    /// Everyone that the token is meant for.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            many => many.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: Error>(self, one: &str) -> Result<Audience, E> {
        Ok(Audience(vec![one.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Audience, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = elements.next_element()? {
            many.push(one);
        }
        if many.is_empty() {
            return Err(A::Error::custom("an audience names somebody"));
        }
        Ok(Audience(many))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_a_string_and_many_are_an_array() {
        for (resources, json) in [
            (&[][..], r#""https://id.example""#),
            (&["urn:a".to_owned()], r#""urn:a""#),
            (&["urn:a".to_owned(), "urn:b".to_owned()], r#"["urn:a","urn:b"]"#),
        ] {
            let audience = Audience::new(resources, "https://id.example");
            assert_eq!(serde_json::to_string(&audience).expect("serializes"), json);
            assert_eq!(serde_json::from_str::<Audience>(json).expect("reads"), audience);
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for json in ["[]", "null", "1", "{}", "[1]", "[[]]", r#"["a",null]"#] {
            assert!(serde_json::from_str::<Audience>(json).is_err(), "{json}");
        }
    }
}
