//! What a node says of itself to health checks and operators.

use std::time::Duration;

use domain::Revision;

/// A node's part in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Orders the changes.
    Leader,
    /// Votes and follows.
    Follower,
    /// Stands for election.
    Candidate,
    /// Follows without a vote.
    Learner,
    /// Takes part no longer: it was shut down, or its disk failed.
    Stopped,
}

impl Role {
    /// The name in status output and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Candidate => "candidate",
            Role::Learner => "learner",
            Role::Stopped => "stopped",
        }
    }
}

/// A node's view of the cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterStatus {
    /// This node's number.
    pub node_id: u64,
    /// Its part.
    pub role: Role,
    /// The Raft term.
    pub term: u64,
    /// Who leads, as far as this node knows.
    pub leader: Option<u64>,
    /// Index of the last entry in this node's log.
    pub last_log: Option<u64>,
    /// Index of the last entry known to be committed.
    pub committed: Option<u64>,
    /// Index of the last entry that is part of this node's state.
    pub last_applied: Option<u64>,
    /// Index of the last entry that is part of this node's snapshot.
    pub snapshot: Option<u64>,
    /// How old this node's view of revocations may be; `Duration::MAX` before the first proof.
    pub staleness: Duration,
    /// Whether the node may vouch for tokens.
    pub fresh: bool,
    /// How many commands were applied.
    pub revision: Revision,
    /// How many revocations are remembered.
    pub revocations: usize,
    /// Whether the installation has its keys.
    pub bootstrapped: bool,
    /// Why the node stopped, if it did.
    pub failure: Option<String>,
}
