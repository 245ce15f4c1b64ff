//! A JSON document kept as the text that it came in, since it is hashed byte for byte.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The text of a JSON document. Printed inside other JSON as it is, without being parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(String);

impl JsonText {
    /// An object with the given members, in the given order.
    pub fn object(members: &[(&str, &str)]) -> Self {
        let mut text = String::with_capacity(64);
        text.push('{');
        for (index, (name, value)) in members.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            push_quoted(&mut text, name);
            text.push(':');
            push_quoted(&mut text, value);
        }
        text.push('}');
        Self(text)
    }

    /// Takes a text out of the store, where only what came from [`JsonText::as_str`] was ever put. A text that is not
    /// JSON any more was tampered with; it is kept so that the chain can tell, and printed as a JSON string.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn push_quoted(text: &mut String, value: &str) {
    text.push_str(&serde_json::to_string(value).expect("a string always has a JSON form"));
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.0) {
            Ok(raw) => raw.serialize(serializer),
            Err(_) => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(String::from(Box::<str>::from(raw))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_quoted() {
        assert_eq!(JsonText::object(&[("a\"b", "c\n")]).as_str(), r#"{"a\"b":"c\n"}"#);
        assert_eq!(JsonText::object(&[]).as_str(), "{}");
    }

    #[test]
    fn the_text_survives_a_round_trip_byte_for_byte() {
        let text = r#"{"b": 1,  "a":[1.0, 1e2]}"#;
        let parsed: JsonText = serde_json::from_str(text).expect("JSON");
        assert_eq!(serde_json::to_string(&parsed).expect("JSON"), text);
    }

    #[test]
    fn what_is_no_json_any_more_is_printed_as_a_string() {
        assert_eq!(
            serde_json::to_string(&JsonText::from_stored("{oops".into())).expect("JSON"),
            r#""{oops""#
        );
    }
}
