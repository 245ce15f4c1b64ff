//! Registers an agent.

use domain::{Action, Agent, AgentId, NewAgent};

use super::context::{Deed, agent_error};
use super::{Command, WriteContext};
use crate::error::TenantError;
use crate::tenant::requests::Caller;

/// The order to register an agent in the caller's organization.
pub(crate) struct RegisterAgent {
    pub caller: Caller,
    pub new: NewAgent,
}

impl Command for RegisterAgent {
    type Answer = Agent;

    fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Nothing is cached of an agent that did not exist, except that it did not.
    async fn run(self, context: &WriteContext) -> Result<Agent, TenantError> {
        let now = context.clock.now();
        let agent_id = AgentId::mint(now, context.entropy.as_ref());
        let agent = self.new.register(agent_id, self.caller.organization, now);
        let deed = Deed {
            action: Action::AgentCreated,
            target: agent_id,
            details: &[("email", agent.email.as_str())],
            replicate: Vec::new(),
            now,
        };
        let change = context.change(&self.caller, deed);
        let entry = context.agents.register(&agent, &change).await.map_err(agent_error)?;
        context.cache.on_registered(agent_id);
        context.finish(entry, change).await?;
        Ok(agent)
    }
}
