//! Which agents a list holds.

use super::agent::{AgentStatus, AgentType, DeploymentEnv};
use crate::query::Query;

/// Which agents a list holds; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Only agents that stand there.
    pub status: Option<AgentStatus>,
    /// Only agents of this type.
    pub agent_type: Option<AgentType>,
    /// Only agents of exactly this owner.
    pub owner: Option<String>,
    /// Only agents that run there.
    pub deployment_env: Option<DeploymentEnv>,
    /// Only agents whose address, owner or a capability contains this text.
    pub q: Option<String>,
}

impl AgentFilter {
    pub(crate) fn query(&self) -> Query {
        Query::default()
            .with("status", self.status.as_ref())
            .with("agentType", self.agent_type.as_ref())
            .with("owner", self.owner.as_ref())
            .with("deploymentEnv", self.deployment_env.as_ref())
            .with("q", self.q.as_ref())
    }
}
