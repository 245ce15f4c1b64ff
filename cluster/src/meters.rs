//! Where a node's measurements go: handles that are passed as values, so that several nodes fit into one process.

use std::sync::Arc;

use metrics::{Gauge, Histogram};

/// The node's meters. The default ones measure nothing.
#[derive(Clone)]
pub struct ClusterMeters {
    /// `raft_term`.
    pub term: Gauge,
    /// `raft_is_leader`: 1 or 0.
    pub is_leader: Gauge,
    /// `raft_last_applied_index`.
    pub last_applied_index: Gauge,
    /// `raft_commit_latency_seconds`: from the proposal of a batch until it is applied.
    pub commit_latency_seconds: Histogram,
    /// `revocation_staleness_seconds`: how old the node's view of revocations may be; infinite before the first proof.
    pub revocation_staleness_seconds: Gauge,
    /// `revocation_set_size`.
    pub revocation_set_size: Gauge,
    /// `raft_replication_lag_entries{peer}`: how many entries a member lacks, by its number. Known where the leader is.
    pub replication_lag_entries: Arc<dyn Fn(u64) -> Gauge + Send + Sync>,
    /// `raft_peer_connections`: to how many members this node has a connection over which it asks them.
    pub peer_connections: Gauge,
}

impl Default for ClusterMeters {
    fn default() -> Self {
        Self {
            term: Gauge::noop(),
            is_leader: Gauge::noop(),
            last_applied_index: Gauge::noop(),
            commit_latency_seconds: Histogram::noop(),
            revocation_staleness_seconds: Gauge::noop(),
            revocation_set_size: Gauge::noop(),
            replication_lag_entries: Arc::new(|_| Gauge::noop()),
            peer_connections: Gauge::noop(),
        }
    }
}
