//! A node that joins gets the whole log, and with it who voted once. As long as it has not caught up it believes each of
//! these lists in turn; one that had founded the cluster, was removed and joins again under its number would come to the time
//! when it alone was the cluster, elect itself, and have everybody replace what was committed since. So a node that began
//! with nothing does not stand for elections before it has caught up with a leader once. A mark in its folder says so, since
//! it may be started again before that.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::{Files, replace_file};
use crate::freshness::Freshness;
use crate::log_store::RaftFolder;
use crate::raft_types::Raft;

/// How often a node that joins looks whether it has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What the file says to people who find it.
const TEXT: &[u8] = b"This node joins a cluster and has not caught up with it yet.\n";

/// The mark of a node that has not caught up since it joined.
pub(crate) struct CatchingUp {
    files: Arc<dyn Files>,
    mark: PathBuf,
    is_set: AtomicBool,
}

impl CatchingUp {
    /// Of the node of a folder. One that `begins` has nothing yet, and waits to be added; it is marked from now on.
    pub(crate) fn open(folder: &RaftFolder, begins: bool) -> Result<Self, ClusterError> {
        let (files, mark) = (folder.files().clone(), folder.path().join("JOINING"));
        let set = || {
            if begins {
                replace_file(files.as_ref(), &mark, TEXT)?;
            }
            files.exists(&mark)
        };
        let is_set = set().map_err(|error| ClusterError::io(&mark, error))?;
        Ok(Self {
            files,
            mark,
            is_set: AtomicBool::new(is_set),
        })
    }

    /// Whether the node has not caught up yet.
    pub(crate) fn is_under_way(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    fn lift(&self) -> io::Result<()> {
        self.files.remove_file(&self.mark)?;
        self.files.sync_folder(self.mark.parent().unwrap_or(&self.mark))
    }
}

/// Lets the node stand for elections when it has caught up: it has applied what the leader had committed when it asked, and
/// with that the entry by which it was added.
pub(crate) async fn keep_back(
    catching_up: Arc<CatchingUp>,
    freshness: Arc<Freshness>,
    raft: Raft,
    execution: Execution,
) {
    if !catching_up.is_under_way() {
        return;
    }
    while freshness.require().is_err() {
        sleep(LOOK_EVERY).await;
    }
    let lifting = catching_up.clone();
    if let Ok(Err(error)) = execution.run(move || lifting.lift()).await {
        // It is the more careful without; the next start tries again.
        tracing::warn!(%error, "the mark of a node that joins could not be removed");
    }
    catching_up.is_set.store(false, Ordering::Release);
    raft.runtime_config().elect(true);
}
