//! Where organizations are kept.

use async_trait::async_trait;

use super::StoreError;
use crate::entities::Organization;
use crate::ids::{OrganizationId, OutboxId};
use crate::outbox::Change;

/// Organizations.
#[async_trait]
pub trait Organizations: Send + Sync {
    /// Adds an organization. [`Conflict::OrganizationSlug`](super::Conflict::OrganizationSlug) if the slug is taken.
    async fn create(&self, organization: &Organization, change: &Change) -> Result<OutboxId, StoreError>;

    /// The organization with this id.
    async fn find(&self, organization: OrganizationId) -> Result<Option<Organization>, StoreError>;

    /// The organization with this slug.
    async fn find_by_slug(&self, slug: &str) -> Result<Option<Organization>, StoreError>;
}
