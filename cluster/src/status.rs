//! What a node says of itself to health checks and operators.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Revision;
use openraft::ServerState;
use openraft::async_runtime::WatchReceiver as _;
use serde::{Deserialize, Serialize};

use crate::freshness::Freshness;
use crate::greeted::Greeted;
use crate::halt::Halt;
use crate::publish::Published;
use crate::raft_types::Raft;

/// A node's part in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The format of the replicated state that the members have agreed on.
    pub format: u8,
    /// Why the node stopped, if it did.
    pub failure: Option<String>,
}

/// Looks at a node from inside.
#[derive(Clone)]
pub(crate) struct StatusWatch {
    raft: Raft,
    published: Arc<Published>,
    freshness: Arc<Freshness>,
    halt: Arc<Halt>,
}

impl StatusWatch {
    pub(crate) fn new(greeted: &Greeted, freshness: Arc<Freshness>) -> Self {
        Self {
            raft: greeted.raft.clone(),
            published: greeted.published.clone(),
            freshness,
            halt: greeted.halt.clone(),
        }
    }

    /// The node's view of the cluster now.
    pub(crate) fn status(&self) -> ClusterStatus {
        let state = self.published.load();
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let asked = self.halt.reason().map(str::to_owned);
        let failure = asked.or_else(|| metrics.running_state.as_ref().err().map(ToString::to_string));
        ClusterStatus {
            node_id: metrics.id,
            role: if failure.is_some() {
                Role::Stopped
            } else {
                role(metrics.state)
            },
            term: metrics.current_term,
            leader: metrics.current_leader,
            last_log: metrics.last_log_index,
            committed: metrics.local_committed.map(|id| id.index),
            last_applied: metrics.last_applied.map(|id| id.index),
            snapshot: metrics.snapshot.map(|id| id.index),
            staleness: self.freshness.staleness(),
            fresh: self.freshness.is_fresh(),
            revision: state.revision(),
            revocations: state.revocation_count(),
            bootstrapped: state.identity().is_some(),
            format: state.agreement().format(),
            failure,
        }
    }

    /// How many entries each other member lacks, as far as is known; empty on a node that does not lead.
    pub(crate) fn replication_lags(&self) -> BTreeMap<u64, u64> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let entries = |index: Option<u64>| index.map_or(0, |index| index + 1);
        let last = entries(metrics.last_log_index);
        let matched = metrics.replication.iter().flatten();
        matched
            .filter(|(peer, _)| **peer != metrics.id)
            .map(|(peer, matched)| (*peer, last.saturating_sub(entries(matched.map(|id| id.index)))))
            .collect()
    }
}

fn role(state: ServerState) -> Role {
    match state {
        ServerState::Leader => Role::Leader,
        ServerState::Follower => Role::Follower,
        ServerState::Candidate => Role::Candidate,
        ServerState::Learner => Role::Learner,
        ServerState::Shutdown => Role::Stopped,
    }
}
