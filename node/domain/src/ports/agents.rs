//! Where agents are kept.

use async_trait::async_trait;

use super::StoreError;
use crate::entities::{Agent, AgentFilter};
use crate::ids::{AgentId, OrganizationId, OutboxId};
use crate::outbox::Change;
use crate::pagination::{Page, PageOf};

/// Agents. Every write goes into one transaction with its [`Change`]: the row, its audit record and its outbox row are
/// there together or not at all, and durable when the call returns.
#[async_trait]
pub trait Agents: Send + Sync {
    /// Adds an agent. [`Conflict::AgentEmail`](super::Conflict::AgentEmail) if the email is taken.
    async fn register(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError>;

    /// The agent with this id, if it is this organization's.
    async fn find(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<Agent>, StoreError>;

    /// The agents that match, oldest first (by creation time, then id).
    async fn list(
        &self,
        organization: OrganizationId,
        filter: &AgentFilter,
        page: Page,
    ) -> Result<PageOf<Agent>, StoreError>;

    /// Replaces an agent's row. `agent.row_version` is one more than the revision that the caller saw;
    /// [`Conflict::RowVersion`](super::Conflict::RowVersion) if that is not the latest, `NotFound` if there is none.
    async fn update(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError>;

    /// As [`Agents::update`], and revokes all of the agent's credentials (at `agent.updated_at`) in the same transaction.
    async fn decommission(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError>;
}
