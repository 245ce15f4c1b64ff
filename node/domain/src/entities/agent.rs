//! An agent and its states.
//!
//! ```text
//! active ⇄ suspended ──► decommissioned (final)
//!    └────────────────────────▲
//! ```

use serde::{Deserialize, Serialize};

use super::agent_fields::{AgentType, Capability, DeploymentEnv, Email};
use crate::ids::{AgentId, OrganizationId};
use crate::named::named;
use crate::time::Timestamp;

named! {
    /// Where an agent stands.
    AgentStatus {
        /// May take tokens.
        Active = "active",
        /// May not, until it is reactivated; what it held is dead.
        Suspended = "suspended",
        /// Never again.
        Decommissioned = "decommissioned",
    }
}

/// The agent can't go from where it stands to where it was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the agent is decommissioned, which is final; register a new agent instead")]
pub struct IllegalTransition;

impl AgentStatus {
    /// Checks a move; a move to the present state is allowed and changes nothing, except that what is decommissioned
    /// takes no further order at all.
    pub const fn check_move_to(self, _next: AgentStatus) -> Result<(), IllegalTransition> {
        match self {
            AgentStatus::Decommissioned => Err(IllegalTransition),
            AgentStatus::Active | AgentStatus::Suspended => Ok(()),
        }
    }
}

/// An agent: a principal that takes tokens. Its id is also its OAuth `client_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// Identifies it everywhere and for ever.
    pub agent_id: AgentId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Unique among the organization's agents that are not decommissioned.
    pub email: Email,
    /// What kind of work it does.
    pub agent_type: AgentType,
    /// Its semantic version.
    pub version: String,
    /// What it can do, in the order given, without repetition.
    pub capabilities: Vec<Capability>,
    /// The person or team that answers for it.
    pub owner: String,
    /// Where it runs.
    pub deployment_env: DeploymentEnv,
    /// Where it stands.
    pub status: AgentStatus,
    /// Whether it is listed in the marketplace.
    pub is_public: bool,
    /// Its decentralized identifier, once it has one.
    pub did: Option<String>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes from 1; a write names the revision that it saw, and fails if it is not the latest.
    #[serde(skip)]
    pub row_version: u64,
}

/// What a caller says of an agent that is to be registered; already validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAgent {
    /// See [`Agent::email`].
    pub email: Email,
    /// See [`Agent::agent_type`].
    pub agent_type: AgentType,
    /// See [`Agent::version`].
    pub version: String,
    /// See [`Agent::capabilities`].
    pub capabilities: Vec<Capability>,
    /// See [`Agent::owner`].
    pub owner: String,
    /// See [`Agent::deployment_env`].
    pub deployment_env: DeploymentEnv,
    /// See [`Agent::is_public`].
    pub is_public: bool,
}

impl NewAgent {
    /// The agent that comes of it: active, in its first revision.
    pub fn register(self, agent_id: AgentId, organization_id: OrganizationId, now: Timestamp) -> Agent {
        Agent {
            agent_id,
            organization_id,
            email: self.email,
            agent_type: self.agent_type,
            version: self.version,
            capabilities: self.capabilities,
            owner: self.owner,
            deployment_env: self.deployment_env,
            status: AgentStatus::Active,
            is_public: self.is_public,
            did: None,
            created_at: now,
            updated_at: now,
            row_version: 1,
        }
    }
}

/// The fields that a caller wants changed; already validated. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentPatch {
    /// See [`Agent::email`].
    pub email: Option<Email>,
    /// See [`Agent::agent_type`].
    pub agent_type: Option<AgentType>,
    /// See [`Agent::version`].
    pub version: Option<String>,
    /// See [`Agent::capabilities`].
    pub capabilities: Option<Vec<Capability>>,
    /// See [`Agent::owner`].
    pub owner: Option<String>,
    /// See [`Agent::deployment_env`].
    pub deployment_env: Option<DeploymentEnv>,
    /// See [`Agent::is_public`].
    pub is_public: Option<bool>,
    /// See [`Agent::status`].
    pub status: Option<AgentStatus>,
}

impl AgentPatch {
    /// The agent after the change, in its next revision.
    pub fn apply(self, agent: &Agent, now: Timestamp) -> Result<Agent, IllegalTransition> {
        agent.status.check_move_to(self.status.unwrap_or(agent.status))?;
        let before = agent.clone();
        Ok(Agent {
            email: self.email.unwrap_or(before.email),
            agent_type: self.agent_type.unwrap_or(before.agent_type),
            version: self.version.unwrap_or(before.version),
            capabilities: self.capabilities.unwrap_or(before.capabilities),
            owner: self.owner.unwrap_or(before.owner),
            deployment_env: self.deployment_env.unwrap_or(before.deployment_env),
            is_public: self.is_public.unwrap_or(before.is_public),
            status: self.status.unwrap_or(before.status),
            updated_at: now.max(before.updated_at),
            row_version: before.row_version + 1,
            ..before
        })
    }
}

/// Which agents of an organization a list holds; what is `None` does not matter.
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
    /// Only agents whose email, owner or a capability contains this text, upper and lower case alike.
    pub q: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(status: AgentStatus) -> Agent {
        let new = NewAgent {
            email: "a@agents.example".parse().expect("valid"),
            agent_type: AgentType::Monitor,
            version: "1.0.0".into(),
            capabilities: vec![],
            owner: "team".into(),
            deployment_env: DeploymentEnv::Staging,
            is_public: false,
        };
        let id = uuid::Uuid::nil();
        Agent {
            status,
            ..new.register(AgentId(id), OrganizationId(id), Timestamp::from_millis(5))
        }
    }

    #[test]
    fn every_move_but_one_out_of_decommissioned_is_allowed() {
        for from in AgentStatus::ALL {
            for to in AgentStatus::ALL {
                let patch = AgentPatch {
                    status: Some(*to),
                    ..Default::default()
                };
                let result = patch.apply(&agent(*from), Timestamp::from_millis(9));
                assert_eq!(result.is_ok(), *from != AgentStatus::Decommissioned, "{from} → {to}");
            }
        }
    }

    #[test]
    fn a_change_counts_the_revision_and_never_turns_the_time_back() {
        let changed = AgentPatch {
            owner: Some("other".into()),
            ..Default::default()
        }
        .apply(&agent(AgentStatus::Active), Timestamp::from_millis(1))
        .expect("active agents can change");
        assert_eq!((changed.row_version, changed.updated_at.as_millis()), (2, 5));
        assert_eq!(changed.owner, "other");
    }
}
