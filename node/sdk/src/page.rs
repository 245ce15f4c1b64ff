//! Pages of a list.

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries of this page.
    pub data: Vec<T>,
    /// How many entries match in all.
    pub total: u64,
    /// The number of this page, from 1.
    pub page: u32,
    /// The most entries that a page holds.
    pub limit: u32,
    /// Where the list goes on, for lists that know cursors; `None` at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// What to ask for to get the page after this one; `None` if this is the last.
    pub fn next(&self) -> Option<Paging> {
        let seen = u64::from(self.page) * u64::from(self.limit);
        (!self.data.is_empty() && seen < self.total).then(|| Paging::page(self.page + 1, self.limit))
    }
}

/// Which page is wanted. The default leaves the choice to the server: the first page, with 20 entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// The page's number, from 1.
    pub page: Option<u32>,
    /// The most entries, 1 to 100.
    pub limit: Option<u32>,
    /// Goes on from another page's [`Page::next_cursor`], whatever was added since. Not together with a page number;
    /// only the audit log knows it.
    pub cursor: Option<String>,
}

impl Paging {
    /// A page by its number.
    pub fn page(page: u32, limit: u32) -> Self {
        Self {
            page: Some(page),
            limit: Some(limit),
            cursor: None,
        }
    }

    /// The first page, with at most `limit` entries.
    pub fn first(limit: u32) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }

    /// What comes after a cursor.
    pub fn after(cursor: impl Into<String>, limit: u32) -> Self {
        Self {
            page: None,
            limit: Some(limit),
            cursor: Some(cursor.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_after_the_last_does_not_exist() {
        let page = |number, total| Page {
            data: vec![()],
            total,
            page: number,
            limit: 2,
            next_cursor: None,
        };
        assert_eq!(page(1, 3).next(), Some(Paging::page(2, 2)));
        assert_eq!(page(2, 3).next(), None);
        assert_eq!(page(1, 2).next(), None);
        assert_eq!(
            Page::<()> {
                data: vec![],
                ..page(1, 9)
            }
            .next(),
            None,
            "an empty page is never followed"
        );
    }
}
