//! Which events a list holds.

use super::event::Outcome;
use crate::ids::AgentId;
use crate::query::Query;
use crate::timestamp::Timestamp;

/// Which events a list holds; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this agent did or suffered.
    pub agent_id: Option<AgentId>,
    /// Only this action, such as `token.issued`.
    pub action: Option<String>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}

impl AuditFilter {
    pub(crate) fn query(&self) -> Query {
        Query::default()
            .with("agentId", self.agent_id)
            .with("action", self.action.as_ref())
            .with("outcome", self.outcome.as_ref())
            .with("fromDate", self.from)
            .with("toDate", self.to)
    }
}
