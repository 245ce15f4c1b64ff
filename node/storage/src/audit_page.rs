//! What a page of the audit log may be asked for, the same in every store.

use domain::ports::StoreError;
use domain::{AuditFilter, Page};

/// A cursor says where to go on, so there is no second page of it.
pub fn check(filter: &AuditFilter, page: Page) -> Result<(), StoreError> {
    if filter.before_sequence.is_some() && page.number() != 1 {
        return Err(StoreError::Internal(
            "with a cursor the page of an audit list must be 1".to_owned(),
        ));
    }
    Ok(())
}

/// Whether everything matches, whatever the cursor.
pub fn is_whole_log(filter: &AuditFilter) -> bool {
    AuditFilter {
        before_sequence: None,
        ..filter.clone()
    } == AuditFilter::default()
}
