//! What is said of an agent that is to be registered or changed.

use serde::Serialize;

use super::agent::{AgentStatus, AgentType, DeploymentEnv};

/// An agent that is to be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAgent {
    /// Unique in the organization.
    pub email: String,
    /// What kind of work it does.
    pub agent_type: AgentType,
    /// Its semantic version, such as `1.0.0`.
    pub version: String,
    /// What it can do, as `resource:action`, such as `resume:read` or `resume:*`.
    pub capabilities: Vec<String>,
    /// Who answers for it.
    pub owner: String,
    /// Where it runs.
    pub deployment_env: DeploymentEnv,
    /// Whether it is listed in the marketplace.
    pub is_public: bool,
}

/// What is to be changed of an agent; what is `None` stays.
///
/// ```
/// use sdk::{AgentPatch, AgentStatus};
/// let suspension = AgentPatch { status: Some(AgentStatus::Suspended), ..AgentPatch::default() };
/// # let _ = suspension;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentPatch {
    /// Unique in the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What kind of work it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<AgentType>,
    /// Its semantic version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// All that it can do; what is not named is taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_env: Option<DeploymentEnv>,
    /// Whether it is listed in the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// Active and suspended lead to each other; decommissioned is final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AgentStatus>,
}

impl AgentPatch {
    /// A patch that moves an agent to another status and changes nothing else.
    pub fn status(status: AgentStatus) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }
}
