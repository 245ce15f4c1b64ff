//! How an agent is named on the command line.

use std::str::FromStr;

use sdk::AgentId;

/// An agent's id, or `self` for the client's own agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentRef {
    /// The client's own.
    Own,
    /// This one.
    Id(AgentId),
}

/// The text names no agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an agent's id, such as 01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d, or `self`")]
pub struct InvalidAgentRef;

impl FromStr for AgentRef {
    type Err = InvalidAgentRef;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "self" => Ok(Self::Own),
            _ => text.parse().map(Self::Id).map_err(|_| InvalidAgentRef),
        }
    }
}
