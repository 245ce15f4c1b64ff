//! The parameters of a list's query. Unknown ones are refused, so that a typing error is not a list of everything.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::Page;
use domain::validation::Validator;
use protocol::oauth::Form;

use super::error::ApiError;

/// The parameters that have not been asked for yet, and what was wrong with those that have.
pub struct Query {
    values: BTreeMap<String, String>,
    wrong: Validator,
}

impl Query {
    /// Takes a query string apart: the same strict rules as for a form.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let form = Form::parse(text.as_bytes()).map_err(|error| {
            ApiError::validation(vec![domain::FieldError::new("query", error.description.into_owned())])
        })?;
        let values = form
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Self {
            values,
            wrong: Validator::default(),
        })
    }

    /// A parameter as text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    /// A parameter as a value; one that is not is noted.
    pub fn get<T: FromStr>(&mut self, name: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.values.remove(name)?;
        self.wrong.check(name, text.parse())
    }

    /// `page` and `limit`.
    pub fn page(&mut self) -> Page {
        let (number, limit) = (self.get("page"), self.get("limit"));
        match Page::new(number, limit) {
            Ok(page) => page,
            Err(errors) => {
                errors
                    .into_iter()
                    .for_each(|error| self.wrong.reject(&error.field, error.reason));
                Page::default()
            }
        }
    }

    /// Notes that something is wrong with a parameter.
    pub fn reject(&mut self, name: &str, reason: &str) {
        self.wrong.reject(name, reason);
    }

    /// Whether all was understood; otherwise everything that was not.
    pub fn finish(mut self) -> Result<(), ApiError> {
        for name in self.values.keys() {
            let name: String = name.chars().take(64).collect();
            self.wrong.reject(&name, "is not a parameter of this list");
        }
        self.wrong.finish().map_err(ApiError::validation)
    }
}
