//! Learners that want a vote get one when they have caught up: a task that only a leader does anything in.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;
use tokio::time::MissedTickBehavior;

use crate::admission::Admission;
use crate::members::MemberChange;
use crate::raft_types::Raft;
use crate::reach;

/// How often the leader looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Promotes, one learner at a time.
pub(crate) async fn keep_promoting(raft: Raft, admission: Admission) {
    let mut rounds = tokio::time::interval(LOOK_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(node_id) = next_to_promote(&raft) else {
            continue;
        };
        match admission.change(MemberChange::Promote(node_id)).await {
            Ok(()) => tracing::info!(node_id, "a node has caught up and votes from now on"),
            Err(error) => tracing::debug!(node_id, %error, "a node could not be promoted yet"),
        }
    }
}

fn next_to_promote(raft: &Raft) -> Option<u64> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let membership = metrics.membership_config.membership();
    let mut waiting = membership.learner_ids().filter(|node_id| {
        let wants_vote = membership.get_node(node_id).is_some_and(|member| member.wants_vote);
        wants_vote && reach::has_caught_up(&metrics, *node_id)
    });
    waiting.next()
}
