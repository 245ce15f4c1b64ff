//! Where it is kept what must still happen.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::OutboxId;
use crate::outbox::OutboxEntry;

/// The outbox, seen by the relay that empties it: across all organizations.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Up to `limit` entries that are not complete, in the order of their ids; those after `after`, or from the first one.
    async fn pending(&self, after: Option<OutboxId>, limit: u32) -> Result<Vec<OutboxEntry>, StoreError>;

    /// Marks entries as complete; ids that are unknown or complete already are ignored.
    async fn complete(&self, entries: &[OutboxId]) -> Result<(), StoreError>;
}
