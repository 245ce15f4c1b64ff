//! The folder of snapshots. There is one that counts, the latest; it is replaced by writing the next one beside it,
//! making that durable, and only then giving it its name.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::snapshot_file::{self, SnapshotError, SnapshotFile};
use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::{FileCursor, Files, OpenFile, Opening};
use crate::lock::lock;
use crate::log_store::RaftFolder;
use crate::raft_types::{LogId, Snapshot, SnapshotMeta, StoredMembership};
use crate::state::State;

/// The state at a place in the log. A copy costs a few pointers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateAt {
    /// The last entry that is part of it.
    pub(crate) applied: Option<LogId>,
    /// Who belongs to the cluster at that place.
    pub(crate) membership: StoredMembership,
    /// The state.
    pub(crate) state: State,
}

impl StateAt {
    fn meta(&self) -> SnapshotMeta {
        SnapshotMeta {
            last_log_id: self.applied,
            last_membership: self.membership.clone(),
        }
    }
}

/// The file of the snapshot that counts.
const NAME: &str = "state.snapshot";

/// The folder.
pub(crate) struct Snapshots {
    files: Arc<dyn Files>,
    folder: PathBuf,
    execution: Execution,
    /// The latest format that is known.
    known: u8,
    /// What the snapshot that counts says of itself.
    current: Mutex<Option<SnapshotMeta>>,
}

impl Snapshots {
    /// Opens the folder, or creates it, and reads the snapshot that counts.
    pub(crate) fn open(
        folder: &RaftFolder,
        known: u8,
        execution: Execution,
    ) -> Result<(Self, Option<StateAt>), ClusterError> {
        let (files, folder) = (folder.files().clone(), folder.snapshots());
        files
            .create_folder(&folder)
            .map_err(|error| ClusterError::io(&folder, error))?;
        let snapshots = Self {
            files,
            folder,
            execution,
            known,
            current: Mutex::new(None),
        };
        let name = snapshots.name();
        let latest = match snapshots.open_current() {
            Ok(file) => Some(file.read(known).map_err(|error| error.at(&name))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(ClusterError::io(name, error)),
        };
        *snapshots.lock() = latest.as_ref().map(StateAt::meta);
        Ok((snapshots, latest))
    }

    /// Gives a damaged snapshot another name, and returns it.
    pub(crate) fn set_aside(folder: &RaftFolder) -> Result<PathBuf, ClusterError> {
        let (files, folder) = (folder.files(), folder.snapshots());
        let damaged = folder.join("state.damaged");
        let set_aside = || {
            files.rename(&folder.join(NAME), &damaged)?;
            files.sync_folder(&folder)
        };
        set_aside().map_err(|error| ClusterError::io(&folder, error))?;
        Ok(damaged)
    }

    /// Does work on the snapshots where blocking disk work runs.
    pub(crate) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let execution = self.execution;
        execution.run(move || work(&self)).await.map_err(io::Error::other)?
    }

    /// Writes a snapshot, which is then the one that counts, unless a later one came in meanwhile.
    pub(crate) fn save(&self, at: &StateAt) -> io::Result<Snapshot> {
        let mut current = self.lock();
        if current.as_ref().is_none_or(|current| current.last_log_id <= at.applied) {
            self.replace(at, &mut current)?;
        }
        let meta = current.clone().unwrap_or_default();
        Ok(Snapshot {
            meta,
            snapshot: self.open_current()?,
        })
    }

    /// Takes over a snapshot of another member, which is then the one that counts.
    pub(crate) fn install(&self, received: &SnapshotFile, wanted: Option<LogId>) -> io::Result<StateAt> {
        let at = received
            .read(self.known)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if at.applied != wanted {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the snapshot is of another place in the log",
            ));
        }
        self.replace(&at, &mut self.lock())?;
        Ok(at)
    }

    /// A file for a snapshot that comes in from another member. It has no name: if it is not installed, it is gone.
    pub(crate) fn receive(&self) -> io::Result<Arc<dyn OpenFile>> {
        let name = self.folder.join("received.tmp");
        let file = self.files.open(&name, Opening::Emptied)?;
        self.files.remove_file(&name)?;
        Ok(file)
    }

    /// The snapshot that counts, if there is one.
    pub(crate) fn current(&self) -> io::Result<Option<Snapshot>> {
        let current = self.lock();
        let Some(meta) = current.clone() else { return Ok(None) };
        Ok(Some(Snapshot {
            meta,
            snapshot: self.open_current()?,
        }))
    }

    fn replace(&self, at: &StateAt, current: &mut Option<SnapshotMeta>) -> io::Result<()> {
        let temporary = self.folder.join("state.tmp");
        let file = self.files.open(&temporary, Opening::Emptied)?;
        let mut out = BufWriter::with_capacity(256 * 1024, FileCursor::at(&file, 0));
        snapshot_file::write(&mut out, at)?;
        out.flush()?;
        file.sync()?;
        self.files.rename(&temporary, &self.name())?;
        self.files.sync_folder(&self.folder)?;
        *current = Some(at.meta());
        Ok(())
    }

    fn open_current(&self) -> io::Result<SnapshotFile> {
        self.files.open(&self.name(), Opening::Existing).map(SnapshotFile)
    }

    fn lock(&self) -> MutexGuard<'_, Option<SnapshotMeta>> {
        lock(&self.current)
    }

    fn name(&self) -> PathBuf {
        self.folder.join(NAME)
    }
}

impl SnapshotError {
    /// The same, of the file in `path`.
    pub(crate) fn at(self, path: &Path) -> ClusterError {
        match self {
            SnapshotError::Io(error) => ClusterError::io(path, error),
            SnapshotError::Newer { found, known } => ClusterError::newer(path, found, known),
            damaged @ SnapshotError::Damaged { .. } => ClusterError::corrupt(path, damaged.to_string()),
        }
    }
}
