//! Pages of a list: `?page=1&limit=20`, and what is answered.

use serde::Serialize;

use crate::validation::FieldError;

/// Which page of a list, counted from 1, and how many entries it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    number: u32,
    limit: u32,
}

impl Page {
    /// The most entries that one page may hold.
    pub const LIMIT_MAX: u32 = 100;
    /// The entries of a page when the caller names no number.
    pub const LIMIT_DEFAULT: u32 = 20;
    /// The furthest page; beyond it an offset would be expensive and a cursor is the way.
    pub const NUMBER_MAX: u32 = 100_000;

    /// Checks both; every field that is out of bounds is named.
    pub fn new(number: Option<u32>, limit: Option<u32>) -> Result<Self, Vec<FieldError>> {
        let (number, limit) = (number.unwrap_or(1), limit.unwrap_or(Self::LIMIT_DEFAULT));
        let mut errors = Vec::new();
        if !(1..=Self::NUMBER_MAX).contains(&number) {
            errors.push(FieldError::new(
                "page",
                format!("must be between 1 and {}", Self::NUMBER_MAX),
            ));
        }
        if !(1..=Self::LIMIT_MAX).contains(&limit) {
            errors.push(FieldError::new(
                "limit",
                format!("must be between 1 and {}", Self::LIMIT_MAX),
            ));
        }
        if errors.is_empty() {
            Ok(Self { number, limit })
        } else {
            Err(errors)
        }
    }

    /// The page's number, from 1.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// The most entries that are wanted.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// How many entries come before this page.
    pub const fn offset(self) -> u64 {
        (self.number as u64 - 1) * self.limit as u64
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            number: 1,
            limit: Self::LIMIT_DEFAULT,
        }
    }
}

/// One page of a list and the size of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageOf<T> {
    /// The entries of this page.
    pub data: Vec<T>,
    /// How many entries match in all.
    pub total: u64,
    /// The number of this page, from 1.
    pub page: u32,
    /// The most entries that a page holds.
    pub limit: u32,
}

impl<T> PageOf<T> {
    /// The same page with each entry turned into something else.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> PageOf<U> {
        PageOf {
            data: self.data.into_iter().map(convert).collect(),
            total: self.total,
            page: self.page,
            limit: self.limit,
        }
    }
}
