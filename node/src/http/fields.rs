//! The members of a JSON body, taken out one by one. All that is wrong is collected; what nobody takes is wrong too.

use std::fmt::Display;
use std::str::FromStr;

use domain::validation::Validator;
use domain::{FieldError, Scope, ScopeSet};
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
        let refuse = |reason: String| Err(ApiError::validation(vec![FieldError::new("body", reason)]));
        let members = match serde_json::from_slice::<Value>(if body.is_empty() { b"{}" } else { body }) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return refuse("must be a JSON object".to_owned()),
            Err(error) => {
                return refuse(format!(
                    "is not JSON: see line {}, column {}",
                    error.line(),
                    error.column()
                ));
            }
        };
        Ok(Self {
            members,
            wrong: Validator::default(),
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

    /// A free text: not empty, not too long, no control characters.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.parsed_with(name, |text| {
            let sane =
                !text.trim().is_empty() && text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control);
            sane.then(|| text.to_owned()).ok_or(format!(
                "must have 1 to {TEXT_MAX} characters and no control characters"
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
            let name: String = name.chars().take(64).collect();
            self.wrong.reject(&name, "is not a field of this request");
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
