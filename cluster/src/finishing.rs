//! Changes of the voters that somebody began and did not finish are finished: a task that only a leader does anything in.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;
use tokio::time::MissedTickBehavior;

use crate::members;
use crate::raft_types::{LogId, Raft};

/// How often the leader looks. Whoever is at it has this long.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Finishes what it has seen unfinished twice.
pub(crate) async fn keep_finishing(raft: Raft) {
    let mut rounds = tokio::time::interval(LOOK_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        rounds.tick().await;
        let unfinished = unfinished(&raft);
        if unfinished.is_some() && unfinished == seen {
            match members::finish_change(&raft).await {
                Ok(()) => tracing::info!("a change of the voters that was left unfinished is finished"),
                Err(error) => tracing::debug!(%error, "a change of the voters could not be finished yet"),
            }
        }
        seen = unfinished;
    }
}

/// Where in the log the change is that is not finished, if this node leads and there is one.
fn unfinished(raft: &Raft) -> Option<LogId> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    metrics.heartbeat.as_ref()?;
    let is_joint = metrics.membership_config.membership().get_joint_config().len() > 1;
    is_joint.then(|| *metrics.membership_config.log_id()).flatten()
}
