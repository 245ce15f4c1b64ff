//! Changes an agent: its fields, and where it stands.

use domain::{Action, Agent, AgentId, AgentPatch, AgentStatus, ReplicatedChange};

use super::context::{Deed, agent_error};
use super::decommission_agent::already_decommissioned;
use super::permission::check_move;
use super::{Command, WriteContext};
use crate::error::TenantError;
use crate::tenant::requests::Caller;

/// How often a change is made anew that another node overtook, if the caller did not say which revision it has seen.
const TRIES: usize = 3;

/// The order to change an agent.
pub(crate) struct UpdateAgent {
    pub caller: Caller,
    pub agent: AgentId,
    pub patch: AgentPatch,
    /// The revision that the caller has seen, if it cares.
    pub expected: Option<u64>,
}

impl Command for UpdateAgent {
    type Answer = Agent;

    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn run(self, context: &WriteContext) -> Result<Agent, TenantError> {
        for _ in 1..TRIES {
            match self.attempt(context).await {
                Err(TenantError::VersionMismatch) if self.expected.is_none() => {}
                result => return result,
            }
        }
        self.attempt(context).await
    }
}

impl UpdateAgent {
    async fn attempt(&self, context: &WriteContext) -> Result<Agent, TenantError> {
        let before = context.agent(&self.caller, self.agent).await?;
        if self.expected.is_some_and(|expected| expected != before.row_version) {
            return Err(TenantError::VersionMismatch);
        }
        if let Some(status) = self.patch.status {
            check_move(context, &self.caller, &before, status).await?;
        }
        let now = context.clock.now();
        let Ok(after) = self.patch.clone().apply(&before, now) else {
            return Err(already_decommissioned(context, self.agent).await?);
        };
        let changed = changed_fields(&self.patch);
        let deed = Deed {
            action: action(&self.patch, before.status),
            target: self.agent,
            details: &[("changed", &changed), ("status", after.status.as_str())],
            replicate: self.replicate(context),
            now,
        };
        let change = context.change(&self.caller, deed);
        let written = match after.status {
            AgentStatus::Decommissioned => context.agents.decommission(&after, &change).await,
            AgentStatus::Active | AgentStatus::Suspended => context.agents.update(&after, &change).await,
        };
        context.finish(written.map_err(agent_error)?, change).await?;
        Ok(after)
    }

    /// An order to suspend kills what the agent holds also if it was suspended before: whoever did that may not have been
    /// able to finish.
    fn replicate(&self, context: &WriteContext) -> Vec<ReplicatedChange> {
        match self.patch.status {
            Some(AgentStatus::Suspended | AgentStatus::Decommissioned) => {
                WriteContext::kill_agent(self.agent, context.clock.now())
            }
            Some(AgentStatus::Active) | None => vec![ReplicatedChange::AgentChanged(self.agent)],
        }
    }
}

/// What the log calls it.
fn action(patch: &AgentPatch, before: AgentStatus) -> Action {
    match patch.status {
        Some(status) if status == before => Action::AgentUpdated,
        Some(AgentStatus::Suspended) => Action::AgentSuspended,
        Some(AgentStatus::Active) => Action::AgentReactivated,
        Some(AgentStatus::Decommissioned) => Action::AgentDecommissioned,
        None => Action::AgentUpdated,
    }
}

/// The names of the fields that the caller sent.
fn changed_fields(patch: &AgentPatch) -> String {
    let fields = [
        ("email", patch.email.is_some()),
        ("agentType", patch.agent_type.is_some()),
        ("version", patch.version.is_some()),
        ("capabilities", patch.capabilities.is_some()),
        ("owner", patch.owner.is_some()),
        ("deploymentEnv", patch.deployment_env.is_some()),
        ("isPublic", patch.is_public.is_some()),
        ("status", patch.status.is_some()),
    ];
    let names: Vec<&str> = fields.iter().filter(|(_, sent)| *sent).map(|(name, _)| *name).collect();
    names.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(status: Option<AgentStatus>) -> AgentPatch {
        AgentPatch {
            status,
            owner: Some("other".into()),
            ..AgentPatch::default()
        }
    }

    #[test]
    fn the_log_names_a_move_and_calls_everything_else_an_update() {
        use AgentStatus::{Active, Decommissioned, Suspended};
        let cases = [
            (None, Active, Action::AgentUpdated),
            (Some(Active), Active, Action::AgentUpdated),
            (Some(Suspended), Active, Action::AgentSuspended),
            (Some(Active), Suspended, Action::AgentReactivated),
            (Some(Decommissioned), Suspended, Action::AgentDecommissioned),
        ];
        for (status, before, expected) in cases {
            assert_eq!(action(&to(status), before), expected);
        }
    }

    #[test]
    fn the_log_tells_which_fields_were_sent() {
        assert_eq!(changed_fields(&to(Some(AgentStatus::Active))), "owner,status");
        assert_eq!(changed_fields(&AgentPatch::default()), "");
    }
}
