//! Whom a leader reaches, by what they have answered it.

use std::time::Duration;

use openraft::async_runtime::Instant as _;

use crate::raft_types::RaftMetrics;

/// Whoever lacks no more entries than this has caught up.
pub(crate) const LAG_MAX: u64 = 100;
/// Whoever has answered within this time is there: some heartbeats, and a round trip around the world.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(2);

/// How many entries a member lacks; `None` if it has not said so, or if this node does not lead.
pub(crate) fn lag(metrics: &RaftMetrics, node_id: u64) -> Option<u64> {
    let matched = metrics.replication.as_ref()?.get(&node_id)?.as_ref()?;
    Some(metrics.last_log_index.unwrap_or(0).saturating_sub(matched.index))
}

/// How long ago a member answered; `None` if it never has, or if this node does not lead.
pub(crate) fn silence(metrics: &RaftMetrics, node_id: u64) -> Option<Duration> {
    let answered = metrics.heartbeat.as_ref()?.get(&node_id)?.as_ref()?;
    Some(answered.elapsed())
}

/// Whether a member is there; a leader is there for itself.
pub(crate) fn is_there(metrics: &RaftMetrics, node_id: u64) -> bool {
    node_id == metrics.id || silence(metrics, node_id).is_some_and(|silence| silence <= SILENCE_MAX)
}

/// Whether a member is there and has caught up, so that a vote of its own would not be missed.
pub(crate) fn has_caught_up(metrics: &RaftMetrics, node_id: u64) -> bool {
    is_there(metrics, node_id) && lag(metrics, node_id).is_some_and(|lag| lag <= LAG_MAX)
}
