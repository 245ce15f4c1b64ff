//! Ends an agent for ever, its credentials and everything that it holds.

use domain::{Agent, AgentId, AgentPatch, AgentStatus};

use super::update_agent::UpdateAgent;
use super::{Command, WriteContext};
use crate::error::TenantError;
use crate::tenant::requests::Caller;

/// The order to end an agent.
pub(crate) struct DecommissionAgent {
    pub caller: Caller,
    pub agent: AgentId,
    /// The revision that the caller has seen, if it cares.
    pub expected: Option<u64>,
}

impl Command for DecommissionAgent {
    type Answer = Agent;

    fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The same as the change of its status, so that both ways do the same.
    async fn run(self, context: &WriteContext) -> Result<Agent, TenantError> {
        let patch = AgentPatch {
            status: Some(AgentStatus::Decommissioned),
            ..AgentPatch::default()
        };
        let update = UpdateAgent {
            caller: self.caller,
            agent: self.agent,
            patch,
            expected: self.expected,
        };
        update.run(context).await
    }
}

/// The answer to every order to an agent that is decommissioned.
pub(super) async fn already_decommissioned(context: &WriteContext, agent: AgentId) -> Result<TenantError, TenantError> {
    let dead = WriteContext::kill_agent(agent, context.clock.now());
    context.already(dead, TenantError::AgentAlreadyDecommissioned).await
}
