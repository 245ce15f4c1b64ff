//! The outbox: what must still happen after a row was written, kept in the same transaction as the row. A relay
//! finishes what a crash interrupted.

use serde::{Deserialize, Serialize};

use crate::audit::{Action, AuditRecord};
use crate::ids::{AgentId, CredentialId, OrganizationId, OutboxId};
use crate::replicated::ReplicatedChange;
use crate::time::Timestamp;

/// What a write announces to the rest of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxMessage {
    /// Whose data changed.
    pub organization_id: OrganizationId,
    /// What happened.
    pub action: Action,
    /// The agent that it happened to, if one.
    pub agent_id: Option<AgentId>,
    /// What every node must learn before the write is answered.
    pub replicate: Vec<ReplicatedChange>,
    /// When it happened.
    pub occurred_at: Timestamp,
}

impl OutboxMessage {
    /// Whether tokens die of it. Doing it a second time would also kill those that were issued since the first.
    pub fn kills(&self) -> bool {
        let mut changes = self.replicate.iter();
        changes.any(|change| matches!(change, ReplicatedChange::Revoke(_)))
    }
}

/// A message that is in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its position.
    pub id: OutboxId,
    /// What it says.
    pub message: OutboxMessage,
}

/// Who makes a change: an agent of the organization that the change's audit record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author {
    /// The agent.
    pub agent: AgentId,
    /// The credential that its token was issued from.
    pub credential: CredentialId,
}

/// What goes into the transaction beside the rows that a write changes: its audit record and its announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who makes it. Written only if author, organization and credential are active in the transaction itself, and the
    /// credential has not expired by the audit record's time; otherwise
    /// [`StoreError::AuthorNotActive`](crate::ports::StoreError::AuthorNotActive). `None` if it is the installation's own.
    pub author: Option<Author>,
    /// Becomes the next link of the organization's audit chain.
    pub audit: AuditRecord,
    /// Becomes an outbox row.
    pub message: OutboxMessage,
}
