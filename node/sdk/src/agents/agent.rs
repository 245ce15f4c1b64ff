//! An agent as the server describes it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{AgentId, OrganizationId};
use crate::timestamp::Timestamp;

open_enum! {
    /// What kind of work an agent does.
    AgentType {
        /// Decides what to let through.
        Screener = "screener",
        /// Sorts into classes.
        Classifier = "classifier",
        /// Directs other agents.
        Orchestrator = "orchestrator",
        /// Takes structured data out of documents.
        Extractor = "extractor",
        /// Condenses.
        Summarizer = "summarizer",
        /// Sends work to where it belongs.
        Router = "router",
        /// Watches.
        Monitor = "monitor",
        /// Anything else.
        Custom = "custom",
    }
}

open_enum! {
    /// Where an agent runs.
    DeploymentEnv {
        /// A developer's machine.
        Development = "development",
        /// Before production.
        Staging = "staging",
        /// For real.
        Production = "production",
    }
}

open_enum! {
    /// Where an agent stands.
    AgentStatus {
        /// May take tokens.
        Active = "active",
        /// May not, until it is reactivated.
        Suspended = "suspended",
        /// Never again.
        Decommissioned = "decommissioned",
    }
}

/// An agent: a principal that takes tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// Identifies it, and is its OAuth `client_id`.
    pub agent_id: AgentId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Unique in its organization.
    pub email: String,
    /// What kind of work it does.
    pub agent_type: AgentType,
    /// Its semantic version.
    pub version: String,
    /// What it can do, as `resource:action`.
    pub capabilities: Vec<String>,
    /// Who answers for it.
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
    /// Members that this version of the client does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_server_says_survives_a_round_trip() {
        let json = serde_json::json!({
            "agentId": "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d", "organizationId": "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6e",
            "email": "a@b.example", "agentType": "philosopher", "version": "1.0.0", "capabilities": ["x:*"], "owner": "o",
            "deploymentEnv": "production", "status": "active", "isPublic": false, "did": null,
            "createdAt": "2026-01-31T12:00:00.000Z", "updatedAt": "2026-01-31T12:00:00.007Z", "mood": {"now": 1},
        });
        let agent: Agent = serde_json::from_value(json.clone()).expect("an agent");
        assert_eq!(agent.agent_type, AgentType::Other("philosopher".to_owned()));
        assert_eq!(agent.deployment_env, DeploymentEnv::Production);
        assert_eq!(serde_json::to_value(&agent).expect("JSON"), json);
    }
}
