//! The query of a list.

use crate::page::Paging;

/// Parameters that are given, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Adds a parameter if there is a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Adds what a page is chosen by.
    #[must_use]
    pub fn paged(self, paging: &Paging) -> Self {
        self.with("page", paging.page)
            .with("limit", paging.limit)
            .with("cursor", paging.cursor.as_ref())
    }

    pub fn pairs(&self) -> &[(&'static str, String)] {
        &self.0
    }
}
