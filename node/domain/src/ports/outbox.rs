//! Where it is kept what must still happen.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::OutboxId;
use crate::outbox::OutboxEntry;
use crate::time::Timestamp;

/// The outbox, seen by the relay that empties it: across all organizations.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Up to `limit` entries that occurred before `before` and are not complete, oldest first.
    async fn pending(&self, before: Timestamp, limit: u32) -> Result<Vec<OutboxEntry>, StoreError>;

    /// Marks entries as complete; ids that are unknown or complete already are ignored.
    async fn complete(&self, entries: &[OutboxId]) -> Result<(), StoreError>;
}
