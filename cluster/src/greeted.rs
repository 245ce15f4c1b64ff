//! What a node says of itself when it greets another, and what it knows of the one that it greets.

use std::sync::Arc;

use openraft::async_runtime::WatchReceiver as _;
use uuid::Uuid;

use crate::formats::Formats;
use crate::halt::Halt;
use crate::network::{Says, Standing};
use crate::publish::Published;
use crate::raft_types::Raft;

/// The running node behind a greeting.
pub(crate) struct Greeted {
    pub(crate) raft: Raft,
    pub(crate) published: Arc<Published>,
    pub(crate) formats: Formats,
    pub(crate) halt: Arc<Halt>,
}

impl Greeted {
    fn is_empty(&self) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.last_log_index.is_none() && metrics.membership_config.membership().nodes().next().is_none()
    }
}

impl Says for Greeted {
    fn cluster_id(&self) -> Option<Uuid> {
        self.published.load().identity().map(|identity| identity.cluster_id)
    }

    fn standing(&self) -> Standing {
        let state = self.published.load();
        let lineage = state.lineage();
        Standing {
            known: self.formats.known(),
            in_force: state.agreement().format(),
            is_empty: self.is_empty(),
            restored: lineage.number,
            lineage: lineage.id,
        }
    }

    /// It votes, or this node leads and has heard from it how much it has.
    fn must_have_log(&self, node_id: u64) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let mut voters = metrics.membership_config.membership().voter_ids();
        let progress = metrics.replication.as_ref();
        let confirmed = progress.and_then(|progress| progress.get(&node_id)?.as_ref());
        voters.any(|voter| voter == node_id) || confirmed.is_some()
    }

    fn halt(&self, reason: &str) {
        self.halt.ask(reason.to_owned());
    }
}
