//! Keeps things placed on members that live: a task that only a leader does anything in. See [`placement`](crate::placement).

use std::sync::Arc;
use std::time::Duration;

use openraft::Instant as _;
use openraft::async_runtime::WatchReceiver as _;
use tokio::time::{Instant, MissedTickBehavior};

use crate::batching::Proposer;
use crate::command::Command;
use crate::placement::Sighting;
use crate::publish::Published;
use crate::raft_types::{Raft, RaftMetrics};

/// How often the leader looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Moves things whenever a member has gone silent, or was heard of again.
pub(crate) async fn keep_placing(raft: Raft, published: Arc<Published>, proposer: Proposer) {
    let mut rounds = tokio::time::interval(LOOK_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut leading: Option<(u64, Instant)> = None;
    loop {
        rounds.tick().await;
        let Some((term, sightings)) = look(&raft) else {
            leading = None;
            continue;
        };
        let since = match leading {
            Some((known, since)) if known == term => since,
            _ => Instant::now(),
        };
        leading = Some((term, since));
        let (members, expected) = {
            let state = published.load();
            let placement = state.placement();
            let members = placement.should_be(&sightings, since.elapsed());
            if members == placement.members() {
                continue;
            }
            (members, placement.epoch())
        };
        tracing::info!(
            ?members,
            "things that one node owns are placed on these members from now on"
        );
        if let Err(error) = proposer.propose(vec![Command::Place { members, expected }]).await {
            tracing::debug!(%error, "things could not be placed anew; this will be tried again");
        }
    }
}

/// The term and the members, if this node leads.
fn look(raft: &Raft) -> Option<(u64, Vec<Sighting>)> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    // Only a leader knows whom it has heard of.
    metrics.heartbeat.as_ref()?;
    let sightings = metrics.membership_config.membership().nodes();
    let sightings = sightings.map(|(node_id, _)| sighting(&metrics, *node_id)).collect();
    Some((metrics.current_term, sightings))
}

fn sighting(metrics: &RaftMetrics, node_id: u64) -> Sighting {
    let heard = metrics.heartbeat.as_ref().and_then(|heard| heard.get(&node_id));
    let heard_ago = match heard {
        _ if node_id == metrics.id => Some(Duration::ZERO),
        Some(Some(at)) => Some(at.elapsed()),
        Some(None) | None => None,
    };
    Sighting { node_id, heard_ago }
}
