//! What a command works with.

use sdk::{AgentId, Client};

use super::agent_ref::AgentRef;
use super::failure::Failure;
use super::output::Output;

/// A connection and a place for results.
pub struct Session<'a> {
    /// The way to the server.
    pub client: Client,
    /// Where results go.
    pub out: Output<'a>,
}

impl<'a> Session<'a> {
    /// A session over a client.
    pub fn new(client: Client, out: Output<'a>) -> Self {
        Self { client, out }
    }

    /// The agent that somebody means.
    pub fn agent(&self, meant: AgentRef) -> Result<AgentId, Failure> {
        match meant {
            AgentRef::Id(id) => Ok(id),
            AgentRef::Own => self
                .client
                .client_id()
                .and_then(|id| id.parse().ok())
                .ok_or(Failure::NotAnAgent),
        }
    }
}
