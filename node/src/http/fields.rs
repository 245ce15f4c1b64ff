//! The members of a JSON body, taken out one by one. All that is wrong is collected; what nobody takes is wrong too.

use std::fmt::{self, Display};
use std::str::FromStr;

use domain::validation::Validator;
use domain::{FieldError, Scope, ScopeSet};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::error::ApiError;

/// The longest free text that a field may hold, in characters.
pub const TEXT_MAX: usize = 256;

/// A JSON object that is being taken apart.
pub struct Fields {
    members: Map<String, Value>,
    wrong: Validator,
}

impl Fields {
    /// The object that a body holds; an empty body is an empty object.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| {
            let reason = match error.classify() {
                Category::Data => "must be a JSON object".to_owned(),
                _ => format!("is not JSON: see line {}, column {}", error.line(), error.column()),
            };
            ApiError::validation(vec![FieldError::new("body", reason)])
        })
    }

    /// Whether the member is there and not null.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A text that must parse; absent and null are the same.
    pub fn parsed<T: FromStr>(&mut self, name: &str) -> Option<T>
    where
        T::Err: Display,
    {
        let text = self.string(name)?;
        self.wrong.check(name, text.parse())
    }

    /// As [`Fields::parsed`], through a function.
    pub fn parsed_with<T, E: Display>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let text = self.string(name)?;
        self.wrong.check(name, parse(&text))
    }

    /// A free text: not empty, not too long, and it looks like what it is.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.parsed_with(name, |text| {
            let sane = !text.trim().is_empty() && text.chars().count() <= TEXT_MAX && !text.chars().any(is_deceptive);
            sane.then(|| text.to_owned()).ok_or(format!(
                "must have 1 to {TEXT_MAX} characters, and none that controls, reverses or is invisible"
            ))
        })
    }

    /// True or false.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            _ => self.reject(name, "must be true or false"),
        }
    }

    /// A whole number that is not negative.
    pub fn number(&mut self, name: &str) -> Option<u64> {
        let value = self.take(name)?;
        value
            .as_u64()
            .or_else(|| self.reject(name, "must be a whole number that is not negative"))
    }

    /// A list of texts that must all parse, without repetition and not longer than `most`.
    pub fn list<T: FromStr + PartialEq>(&mut self, name: &str, most: usize) -> Option<Vec<T>>
    where
        T::Err: Display,
    {
        let Value::Array(items) = self.take(name)? else {
            return self.reject(name, "must be a list of texts");
        };
        if items.len() > most {
            return self.reject(name, &format!("must have at most {most} entries"));
        }
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = format!("{name}[{index}]");
            let Some(text) = item.as_str() else {
                return self.reject(&place, "must be a text");
            };
            match self.wrong.check(&place, text.parse::<T>()) {
                Some(value) if !list.contains(&value) => list.push(value),
                _ => {}
            }
        }
        Some(list)
    }

    /// A set of scopes: a list of names, or one text with spaces between them.
    pub fn scopes(&mut self, name: &str, most: usize) -> Option<ScopeSet> {
        match self.members.get(name) {
            Some(Value::String(_)) => self.parsed(name),
            _ => self
                .list::<Scope>(name, most)
                .map(|scopes| scopes.into_iter().collect()),
        }
    }

    /// The value of a member that must be there; its absence is noted unless something else was wrong with it.
    pub fn require<T>(&mut self, name: &str, was_there: bool, value: Option<T>) -> Option<T> {
        if was_there {
            value
        } else {
            self.wrong.require(name, value)
        }
    }

    /// Notes that something is wrong with a member.
    pub fn reject<T>(&mut self, name: &str, reason: &str) -> Option<T> {
        self.wrong.reject(name, reason);
        None
    }

    /// Whether all was understood; otherwise everything that was not.
    pub fn finish(mut self) -> Result<(), ApiError> {
        for name in self.members.keys() {
            self.wrong.reject(shown(name), "is not a field of this request");
        }
        self.wrong.finish().map_err(ApiError::validation)
    }

    fn string(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => self.reject(name, "must be a text"),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }
}

/// Reads the members, and notes those that are there more than once: readers differ in which one counts (RFC 8259 §4).
impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields, A::Error> {
                let (mut members, mut wrong) = (Map::new(), Validator::default());
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.contains_key(&name) {
                        wrong.reject(shown(&name), "is there more than once");
                    }
                    members.insert(name, value);
                }
                Ok(Fields { members, wrong })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// As much of a name that we do not know as an answer repeats.
fn shown(name: &str) -> &str {
    name.char_indices().nth(64).map_or(name, |(end, _)| &name[..end])
}

/// Whether a character makes a text look like another: control characters, those that turn the direction of writing
/// (UAX #9), and those that have no width.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str, take: impl Fn(&mut Fields)) -> String {
        let mut fields = match Fields::parse(body.as_bytes()) {
            Ok(fields) => fields,
            Err(error) => return format!("{error:?}"),
        };
        take(&mut fields);
        fields
            .finish()
            .map_or_else(|error| format!("{error:?}"), |()| String::new())
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused_by_its_name() {
        let take = |fields: &mut Fields| {
            let _ = (fields.text("owner"), fields.flag("isPublic"));
        };
        assert_eq!(refusal(r#"{"owner": "a", "isPublic": true}"#, take), "");
        let twice = refusal(r#"{"owner": "a", "isPublic": true, "ow\u006eer": "a"}"#, take);
        assert!(twice.contains("owner") && twice.contains("more than once"), "{twice}");
        assert!(!twice.contains("isPublic"), "{twice}");
    }

    #[test]
    fn what_is_no_object_is_told_from_what_is_no_json() {
        for body in ["[]", "1", "null", "\"{}\""] {
            assert!(refusal(body, |_| {}).contains("must be a JSON object"), "{body}");
        }
        for body in ["{", "{} {}", "{\"a\" 1}", "x"] {
            assert!(refusal(body, |_| {}).contains("is not JSON"), "{body}");
        }
    }

    #[test]
    fn a_text_that_looks_like_another_is_refused() {
        let refused = |text: &str| {
            let body = serde_json::json!({ "owner": text }).to_string();
            !refusal(&body, |fields| drop(fields.text("owner"))).is_empty()
        };
        for text in [
            "",
            " ",
            "a\0",
            "a\nb",
            "\u{202e}evil",
            "a\u{2067}b",
            "\u{200b}",
            "a\u{feff}",
            "a\u{200f}b",
        ] {
            assert!(refused(text), "{text:?}");
        }
        for text in ["Zoë's team", "\u{5d0}\u{5d1}", "チーム", "ops <ops@a.example>"] {
            assert!(!refused(text), "{text:?}");
        }
    }

    #[test]
    fn an_answer_names_some_of_very_many_bad_fields_and_counts_the_rest() {
        let members: Vec<String> = (0..20_000).map(|index| format!("\"k{index}\": 1")).collect();
        let answer = refusal(&format!("{{{}}}", members.join(",")), |_| {});
        assert_eq!(answer.matches("is not a field").count(), 50);
        assert!(answer.contains("19950 more"), "{answer}");
    }
}
