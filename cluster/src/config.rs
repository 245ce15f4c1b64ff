//! What a node is told when it starts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Clock, Entropy};

use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::{Files, OsFiles};
use crate::formats::Formats;
use crate::meters::ClusterMeters;
use crate::network::{NoPeers, Transport};
use crate::raft_types::Member;
use crate::sealing::MasterKeys;

/// What a node does that belongs to no cluster yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Founding {
    /// It founds a cluster of one, which others may join.
    #[default]
    Alone,
    /// It waits until a member of a cluster adds it.
    Join,
}

/// The settings of a node. [`ClusterConfig::new`] fills in the defaults.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// This node's number; unique in the cluster and never given to another node.
    pub node_id: u64,
    /// The node's data directory; the log and the snapshots are in `raft/` inside.
    pub data_dir: PathBuf,
    /// How often a leader tells the others that it is alive.
    pub heartbeat: Duration,
    /// A follower that has not heard of a leader for a time between these two stands for election.
    pub election_timeout: (Duration, Duration),
    /// How old a node's view of revocations may be before it stops to vouch for tokens.
    pub max_revocation_staleness: Duration,
    /// How often a node asks for proof that its view is recent.
    pub freshness_interval: Duration,
    /// How often a leader looks whether there is something to forget.
    pub tick_interval: Duration,
    /// A change that has not been applied after this is answered as unavailable.
    pub proposal_deadline: Duration,
    /// How long an answer waits at most until every member that can be reached has the change in force.
    pub barrier_limit: Duration,
    /// How long a starting node waits until the cluster has a leader that it can hear.
    pub start_deadline: Duration,
    /// A snapshot is taken, and the log before it given up, every so many log entries.
    pub snapshot_every: u64,
    /// How many entries that a snapshot covers stay in the log, for followers that are a little behind.
    pub entries_kept: u64,
    /// Where the other members reach this node; empty in a cluster of one.
    pub address: String,
    /// Where this node stands; empty if regions do not matter.
    pub region: String,
    /// Where the leader had better stand; empty if regions do not matter.
    pub preferred_leader_region: String,
    /// How long a leader of another region leads at least before it hands over.
    pub lead_at_least: Duration,
    /// Whether this node votes; one that founds a cluster always does.
    pub wants_vote: bool,
    /// What a node does that finds nothing in its folder.
    pub founding: Founding,
    /// The version of the software, for the operator's overview.
    pub version: String,
    /// Which formats of the replicated state it knows and agrees to.
    pub formats: Formats,
    /// Where blocking disk work runs.
    pub execution: Execution,
}

impl ClusterConfig {
    /// The defaults for a node that keeps its data in `data_dir`.
    pub fn new(node_id: u64, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            node_id,
            data_dir: data_dir.into(),
            heartbeat: Duration::from_millis(250),
            election_timeout: (Duration::from_millis(1_000), Duration::from_millis(2_000)),
            max_revocation_staleness: Duration::from_secs(5),
            freshness_interval: Duration::from_millis(250),
            tick_interval: Duration::from_secs(10),
            proposal_deadline: Duration::from_secs(5),
            barrier_limit: Duration::from_millis(500),
            start_deadline: Duration::from_secs(30),
            snapshot_every: 10_000,
            entries_kept: 1_000,
            address: String::new(),
            region: String::new(),
            preferred_leader_region: String::new(),
            lead_at_least: Duration::from_secs(30),
            wants_vote: true,
            founding: Founding::Alone,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            formats: Formats::default(),
            execution: Execution::Threads,
        }
    }

    /// What the other members know of this node.
    pub(crate) fn member(&self) -> Member {
        Member {
            address: self.address.clone(),
            region: self.region.clone(),
            wants_vote: self.wants_vote,
        }
    }

    /// Refuses settings that cannot work together.
    pub(crate) fn validate(&self) -> Result<(), ClusterError> {
        let (shortest, longest) = self.election_timeout;
        if self.heartbeat.is_zero() || shortest <= self.heartbeat * 2 {
            return Err(ClusterError::Config(
                "the election timeout must be more than twice the heartbeat, and the heartbeat more than zero",
            ));
        }
        if longest <= shortest {
            return Err(ClusterError::Config(
                "the longest election timeout must be greater than the shortest",
            ));
        }
        if self.freshness_interval.is_zero() || self.max_revocation_staleness < self.freshness_interval * 2 {
            return Err(ClusterError::Config(
                "the greatest staleness of revocations must be at least twice the interval of freshness checks",
            ));
        }
        if self.tick_interval.is_zero() || self.proposal_deadline.is_zero() || self.snapshot_every == 0 {
            return Err(ClusterError::Config(
                "the tick interval, the proposal deadline and the snapshot interval must be more than zero",
            ));
        }
        Ok(())
    }
}

/// What a node is given to reach the world.
#[derive(Clone)]
pub struct ClusterPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What signing keys are sealed with before they enter the log.
    pub master_keys: MasterKeys,
    /// Where measurements go.
    pub meters: ClusterMeters,
    /// The way to the other members.
    pub transport: Arc<dyn Transport>,
    /// Where the log and the snapshots are.
    pub files: Arc<dyn Files>,
}

impl ClusterPorts {
    /// For a cluster of one that nobody measures, on the operating system's files.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, master_keys: MasterKeys) -> Self {
        Self {
            clock,
            entropy,
            master_keys,
            meters: ClusterMeters::default(),
            transport: Arc::new(NoPeers),
            files: Arc::new(OsFiles),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut ClusterConfig)) -> bool {
        let mut config = ClusterConfig::new(1, "/nowhere");
        change(&mut config);
        matches!(config.validate(), Err(ClusterError::Config(_)))
    }

    #[test]
    fn the_defaults_are_valid_and_contradictions_are_refused() {
        assert!(!refused(|_| ()));
        assert!(refused(|config| config.heartbeat = Duration::ZERO));
        assert!(refused(|config| config.heartbeat = Duration::from_millis(500)));
        assert!(refused(|config| config.election_timeout.1 = config.election_timeout.0));
        assert!(refused(
            |config| config.max_revocation_staleness = Duration::from_millis(499)
        ));
        assert!(refused(|config| config.freshness_interval = Duration::ZERO));
        assert!(refused(|config| config.tick_interval = Duration::ZERO));
        assert!(refused(|config| config.proposal_deadline = Duration::ZERO));
        assert!(refused(|config| config.snapshot_every = 0));
    }
}
