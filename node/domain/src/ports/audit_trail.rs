//! Where the audit log is kept.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::{AuditEvent, AuditFilter, AuditRecord};
use crate::ids::{EventId, OrganizationId};
use crate::pagination::{Page, PageOf};

/// The audit log: one hash chain per organization. There is no way to change or remove an event.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Appends records of any organizations, in the given order, in one transaction; durable when the call returns.
    async fn append(&self, records: Vec<AuditRecord>) -> Result<(), StoreError>;

    /// The events that match, newest first. With `filter.before_sequence` the page's number must be 1.
    async fn list(
        &self,
        organization: OrganizationId,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<PageOf<AuditEvent>, StoreError>;

    /// The event with this id.
    async fn find(&self, organization: OrganizationId, event: EventId) -> Result<Option<AuditEvent>, StoreError>;

    /// Up to `limit` events whose sequence is greater than `after`, in ascending order: how a chain is walked.
    async fn range(&self, organization: OrganizationId, after: u64, limit: u32) -> Result<Vec<AuditEvent>, StoreError>;

    /// The sequence and hash that the chain ends with according to the store's own record of its head.
    async fn head(&self, organization: OrganizationId) -> Result<crate::audit::ChainHead, StoreError>;
}
