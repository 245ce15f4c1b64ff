//! A record before it is in the log, and the event that it becomes.

use serde::{Deserialize, Serialize};

use super::action::{Action, Outcome};
use super::chain::Hash;
use super::json_text::JsonText;
use super::recorded::Recorded;
use crate::ids::{AgentId, EventId, OrganizationId};
use crate::time::Timestamp;

/// From where a request came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The caller's address, without port.
    pub ip_address: Option<String>,
    /// The caller's `User-Agent`, cut to 256 characters.
    pub user_agent: Option<String>,
}

/// Something that happened and is to be appended to its organization's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Identifies the event; repeating an append with the same id is refused by the store.
    pub event_id: EventId,
    /// Whose log it belongs to.
    pub organization_id: OrganizationId,
    /// Who did it, or to whom it was done when nobody is known to have.
    pub agent_id: Option<AgentId>,
    /// What happened.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// From where.
    pub origin: Origin,
    /// What else is worth knowing: a JSON object, never a secret. The text is hashed and kept as it is.
    pub metadata: JsonText,
    /// When.
    pub timestamp: Timestamp,
}

/// A link of an organization's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// Identifies the event.
    pub event_id: EventId,
    /// Its place in the chain, from 1 without gaps.
    pub sequence: u64,
    /// Whose log it belongs to.
    pub organization_id: OrganizationId,
    /// Who did it, or to whom it was done when nobody is known to have.
    pub agent_id: Option<AgentId>,
    /// What happened, according to the row.
    pub action: Recorded<Action>,
    /// How it ended, according to the row.
    pub outcome: Recorded<Outcome>,
    /// The caller's address.
    pub ip_address: Option<String>,
    /// The caller's software.
    pub user_agent: Option<String>,
    /// A JSON object, byte for byte as it was hashed.
    pub metadata: JsonText,
    /// When.
    pub timestamp: Timestamp,
    /// The hash of the event before it; zeros for the first.
    pub previous_hash: Hash,
    /// The hash of this event.
    pub hash: Hash,
}

/// Which events of an organization a list holds; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this agent did or suffered.
    pub agent_id: Option<AgentId>,
    /// Only this action.
    pub action: Option<Action>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// Only events whose sequence is smaller; how a cursor goes on.
    pub before_sequence: Option<u64>,
}
