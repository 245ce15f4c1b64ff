//! A node that joins gets the whole log, and with it who voted once. As long as it has not caught up it believes each of
//! these lists in turn; one that had founded the cluster, was removed and joins again under its number would come to the time
//! when it alone was the cluster, elect itself, and have everybody replace what was committed since. So a node that began
//! with nothing does not stand for elections before it has caught up with a leader once. A mark in its folder says so, since
//! it may be started again before that.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::config::Founding;
use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::{Files, replace_file};
use crate::freshness::Freshness;
use crate::log_store::{RAFT_FOLDER, RaftFolder};
use crate::raft_types::Raft;

/// How often a node that joins looks whether it has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The mark's name in the folder.
const MARK: &str = "JOINING";

/// What the file says to people who find it.
const TEXT: &[u8] = b"This node joins a cluster and has not caught up with it yet.\n";

/// The mark of a node that has not caught up since it joined.
pub(crate) struct CatchingUp {
    files: Arc<dyn Files>,
    mark: PathBuf,
    is_set: AtomicBool,
}

impl CatchingUp {
    /// Of the node of a folder. One that has nothing yet (`begins`) and waits to be added is marked from now on; one that
    /// founds a cluster has nothing to catch up with.
    pub(crate) fn open(folder: &RaftFolder, begins: Option<Founding>) -> Result<Self, ClusterError> {
        let catching_up = Self {
            files: folder.files().clone(),
            mark: folder.path().join(MARK),
            is_set: AtomicBool::default(),
        };
        let is_set = catching_up.set(begins);
        let is_set = is_set.map_err(|error| ClusterError::io(&catching_up.mark, error))?;
        catching_up.is_set.store(is_set, Ordering::Release);
        Ok(catching_up)
    }

    fn set(&self, begins: Option<Founding>) -> io::Result<bool> {
        let is_set = self.files.exists(&self.mark)?;
        match begins {
            Some(Founding::Join) => replace_file(self.files.as_ref(), &self.mark, TEXT)?,
            Some(Founding::Alone) if is_set => self.lift()?,
            Some(Founding::Alone) | None => return Ok(is_set),
        }
        Ok(begins == Some(Founding::Join))
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

/// Refuses a data directory that holds a node's part of a cluster already: what is to join has nothing yet, but for a node that
/// waits to be added.
pub fn require_newcomer(files: &dyn Files, data_dir: &Path) -> Result<(), ClusterError> {
    let folder = data_dir.join(RAFT_FOLDER);
    let exists = |path: &Path| files.exists(path).map_err(|error| ClusterError::io(path, error));
    if exists(&folder)? && !exists(&folder.join(MARK))? {
        return Err(ClusterError::NoNewcomer { path: folder });
    }
    Ok(())
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
