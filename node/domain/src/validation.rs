//! What is wrong with a request's fields. All mistakes are collected, so a caller mends them in one go.

use serde::Serialize;

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name on the wire.
    pub field: String,
    /// What it must be; the offending value is not repeated, since it may be a secret.
    pub reason: String,
}

impl FieldError {
    /// A field and the reason why it was refused.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// Collects mistakes while a request is taken apart.
#[derive(Default)]
pub struct Validator {
    errors: Vec<FieldError>,
}

impl Validator {
    /// Notes a mistake.
    pub fn reject(&mut self, field: &str, reason: impl Into<String>) {
        self.errors.push(FieldError::new(field, reason));
    }

    /// The value, or `None` with the mistake noted.
    pub fn check<T, E: std::fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.reject(field, error.to_string())).ok()
    }

    /// The value of a field that must be there, or `None` with its absence noted.
    pub fn require<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.reject(field, "is required");
        }
        value
    }

    /// Whether nothing has been refused so far; otherwise everything that was.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }
}
