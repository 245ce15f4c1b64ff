//! Whose a write is, the same in every store.

use domain::ports::StoreError;
use domain::{Change, OrganizationId};

/// What goes beside a row belongs to the organization that the row belongs to. Anything else is a mistake of the caller
/// that would put a record into somebody else's audit log.
pub fn check(organization: OrganizationId, change: &Change) -> Result<(), StoreError> {
    if change.audit.organization_id == organization && change.message.organization_id == organization {
        return Ok(());
    }
    Err(StoreError::Internal(
        "a change names another organization than the row that it is about".to_owned(),
    ))
}
