//! Agents: `/api/v1/agents`.

mod agent;
mod change;
mod filter;

pub use agent::{Agent, AgentStatus, AgentType, DeploymentEnv};
pub use change::{AgentPatch, NewAgent};
pub use filter::AgentFilter;

use crate::client::Client;
use crate::error::Error;
use crate::ids::AgentId;
use crate::page::{Page, Paging};
use crate::transport::{Call, Method};
use crate::versioned::{ETag, Versioned};

const PATH: &str = "/api/v1/agents";
const READ: &str = "agents:read";
const WRITE: &str = "agents:write";

/// Registers, reads and changes the agents of the client's organization.
pub struct Agents<'a> {
    client: &'a Client,
}

impl<'a> Agents<'a> {
    pub(crate) fn of(client: &'a Client) -> Self {
        Self { client }
    }

    /// Registers an agent. `AGENT_ALREADY_EXISTS` if its address is taken.
    pub async fn register(&self, new: &NewAgent) -> Result<Versioned<Agent>, Error> {
        self.client
            .send_with_token(Call::new(Method::Post, PATH).json(new), WRITE)
            .await?
            .versioned()
    }

    /// A page of the agents that match.
    pub async fn list(&self, filter: &AgentFilter, paging: Paging) -> Result<Page<Agent>, Error> {
        self.client
            .send_with_token(Call::get(PATH).query(filter.query().paged(&paging)), READ)
            .await?
            .json()
    }

    /// One agent. `AGENT_NOT_FOUND` if it is not one of the client's organization.
    pub async fn get(&self, agent: AgentId) -> Result<Versioned<Agent>, Error> {
        self.client
            .send_with_token(Call::get(path(agent)), READ)
            .await?
            .versioned()
    }

    /// Changes an agent. With `expected`, only if it is still in that revision; `PRECONDITION_FAILED` (412) if it has
    /// moved on. When this returns from a suspension, every live token of the agent is dead.
    pub async fn update(
        &self,
        agent: AgentId,
        patch: &AgentPatch,
        expected: Option<&ETag>,
    ) -> Result<Versioned<Agent>, Error> {
        let call = Call::new(Method::Patch, path(agent)).json(patch).if_match(expected);
        self.client.send_with_token(call, WRITE).await?.versioned()
    }

    /// Ends an agent for ever: its credentials are revoked and its tokens dead when this returns.
    pub async fn decommission(&self, agent: AgentId, expected: Option<&ETag>) -> Result<(), Error> {
        let call = Call::new(Method::Delete, path(agent)).if_match(expected);
        let answer = self.client.send_with_token(call, WRITE).await?;
        let is_repeated = answer.is_repeated;
        match answer.success() {
            // An earlier try of ours did it, and its answer was lost.
            Err(error) if is_repeated && error.code() == Some("AGENT_ALREADY_DECOMMISSIONED") => Ok(()),
            result => result.map(drop),
        }
    }
}

fn path(agent: AgentId) -> String {
    format!("{PATH}/{agent}")
}
