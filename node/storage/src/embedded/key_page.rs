//! One pass over what a search finds: how much it is, and the keys of what stands on one page. The rows of the page are
//! read by their keys afterwards, so that the pass carries no more than it needs.

use domain::Page;
use rusqlite::Result;

/// Goes through all keys, in the order of the list. All are counted; what is paged are those that the cursor leaves.
pub fn page_of_keys<K>(
    keys: impl Iterator<Item = Result<K>>,
    page: Page,
    is_left: impl Fn(&K) -> bool,
) -> Result<(u64, Vec<K>)> {
    let places = page.offset()..page.offset() + u64::from(page.limit());
    let (mut total, mut place, mut on_page) = (0, 0, Vec::new());
    for key in keys {
        let key = key?;
        total += 1;
        if is_left(&key) {
            if places.contains(&place) {
                on_page.push(key);
            }
            place += 1;
        }
    }
    Ok((total, on_page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_those_of_the_page_are_kept() {
        let keys = |page, limit| {
            let page = Page::new(Some(page), Some(limit)).expect("a page");
            page_of_keys((0..25).map(Ok), page, |_| true).expect("no error")
        };
        assert_eq!(keys(1, 10), (25, (0..10).collect()));
        assert_eq!(keys(3, 10), (25, (20..25).collect()));
        assert_eq!(keys(4, 10), (25, Vec::new()));
    }

    #[test]
    fn a_cursor_leaves_out_what_came_before_it_and_changes_no_count() {
        let after_six = page_of_keys((0..25).map(Ok), Page::default(), |key| *key > 6);
        assert_eq!(after_six.expect("no error"), (25, (7..25).collect()));
    }

    #[test]
    fn an_error_is_told() {
        let keys = [Ok(1), Err(rusqlite::Error::InvalidQuery), Ok(2)];
        assert!(page_of_keys(keys.into_iter(), Page::default(), |_| true).is_err());
    }
}
