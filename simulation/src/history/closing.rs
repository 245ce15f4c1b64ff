//! What is there when all faults are over and no client writes any more, read through the nodes.

use std::collections::BTreeMap;

use super::call::Status;
use super::ids::{AgentId, CredentialId};

/// The end of a run.
#[derive(Clone, Debug, Default)]
pub struct Closing {
    /// Every agent.
    pub agents: BTreeMap<AgentId, ClosingAgent>,
    /// How many records the audit log holds of each kind: the action, and the id of the agent, credential or token that it
    /// is about.
    pub audited: BTreeMap<(String, String), usize>,
    /// Whether the audit chain is whole, as each node says.
    pub chain_is_whole: Vec<bool>,
}

/// An agent at the end.
#[derive(Clone, Debug)]
pub struct ClosingAgent {
    /// Where it stands; `None` if it is something that no client asked for.
    pub status: Option<Status>,
    /// Its credentials, and whether each is active.
    pub credentials: BTreeMap<CredentialId, bool>,
}
