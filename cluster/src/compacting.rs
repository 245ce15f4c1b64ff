//! Keeps the log small where its entries are large: the consensus library takes a snapshot every so many entries, this
//! task when they are too many bytes. What a snapshot covers is given up.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;
use tokio::time::MissedTickBehavior;

use crate::log_store::LogStore;
use crate::raft_types::{Raft, TypeConfig};

/// How often a node looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A log of more bytes than this is made shorter.
pub(crate) const LOG_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Asks for a snapshot whenever the log has grown too large.
pub(crate) async fn keep_compact(log: LogStore, raft: Raft) {
    let mut rounds = tokio::time::interval(LOOK_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if log.bytes() > LOG_BYTES_MAX
            && let Err(error) = compact(&raft).await
        {
            tracing::debug!(%error, "the log could not be made shorter; this will be tried again");
        }
    }
}

/// Asks for a snapshot, and gives up what the latest one covers: a follower that is behind gets the snapshot.
async fn compact(raft: &Raft) -> Result<(), Fatal> {
    raft.trigger().snapshot().await?;
    let covered = raft.metrics().borrow_watched().snapshot.map(|id| id.index);
    if let Some(covered) = covered {
        raft.trigger().purge_log(covered).await?;
    }
    Ok(())
}

type Fatal = openraft::errors::Fatal<TypeConfig>;
