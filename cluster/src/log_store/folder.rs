//! The folder that a node keeps its log and snapshots in: whose it is, in which format, and that only one process has it.
//!
//! `raft/IDENTITY` says it in plain text; `raft/LOCK` is locked while the folder is in use.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{DiskChange, LogDisk as _, Slot};
use super::redb_disk::RedbDisk;
use super::stored::{StoredLogId, StoredVote};
use crate::codec;
use crate::error::ClusterError;
use crate::files::{Files, OpenFile, Opening, read_whole, replace_file};
use crate::raft_types::{LogId, Vote};
use crate::restoring::finish_restore;

/// The layout of the folder that this version writes and reads.
const FORMAT: u32 = 1;

const WRITTEN_BY: &str = "An AgentIdP node's replicated log, last written by agentidp ";
const DO_NOT: &str = ". Do not change or copy.";

/// The folder's name in the data directory.
pub(crate) const RAFT_FOLDER: &str = "raft";

/// A node's folder, locked until it is dropped.
pub(crate) struct RaftFolder {
    files: Arc<dyn Files>,
    path: PathBuf,
    node_id: u64,
    lock: Arc<dyn OpenFile>,
}

impl RaftFolder {
    /// Opens `raft/` in the data directory, or creates it.
    pub(crate) fn open(
        files: Arc<dyn Files>,
        data_dir: &Path,
        node_id: u64,
        software: &str,
    ) -> Result<Self, ClusterError> {
        finish_restore(files.as_ref(), data_dir)?;
        let path = data_dir.join(RAFT_FOLDER);
        // Nobody else reads the log, or holds the lock and so keeps the node from starting.
        files
            .create_folder(&path)
            .map_err(|error| ClusterError::io(&path, error))?;
        let lock = lock(files.as_ref(), &path)?;
        let folder = Self {
            files,
            path,
            node_id,
            lock,
        };
        folder.recognize(software).map_err(|error| folder.explain(error))?;
        Ok(folder)
    }

    fn recognize(&self, software: &str) -> Result<(), ClusterError> {
        match self.identity() {
            Ok(text) => self.check(&text, self.node_id),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create(software),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(self.unreadable()),
            Err(error) => Err(ClusterError::io(self.identity_path(), error)),
        }
    }

    /// Opens `raft/` in the data directory, if it is this node's.
    pub(crate) fn open_existing(files: Arc<dyn Files>, data_dir: &Path, node_id: u64) -> Result<Self, ClusterError> {
        finish_restore(files.as_ref(), data_dir)?;
        let path = data_dir.join(RAFT_FOLDER);
        let lock = Self::lock_existing(files.as_ref(), data_dir)?
            .ok_or_else(|| ClusterError::NothingToRestore { path: path.clone() })?;
        let folder = Self {
            files,
            path,
            node_id,
            lock,
        };
        let text = folder.identity().map_err(|_| folder.unreadable());
        let checked = text.and_then(|text| folder.check(&text, node_id));
        checked.map_err(|error| folder.explain(error))?;
        Ok(folder)
    }

    /// Locks `raft/` in the data directory, if there is one, whatever it holds.
    pub(crate) fn lock_existing(files: &dyn Files, data_dir: &Path) -> Result<Option<Arc<dyn OpenFile>>, ClusterError> {
        let path = data_dir.join(RAFT_FOLDER);
        let is_there = files.exists(&path).map_err(|error| ClusterError::io(&path, error))?;
        is_there.then(|| lock(files, &path)).transpose()
    }

    /// Lets go of the folder but for its lock.
    pub(crate) fn into_lock(self) -> Arc<dyn OpenFile> {
        self.lock
    }

    /// Makes the empty log continue after a snapshot, in a term in which nobody has voted yet.
    pub(crate) fn begin_after(&self, applied: Option<LogId>) -> Result<(), ClusterError> {
        let path = self.log();
        let disk = RedbDisk::open(self.files.as_ref(), &path)?;
        let Some(applied) = applied else { return Ok(()) };
        let vote = Vote::new(applied.leader_id.term, applied.leader_id.node_id);
        let changes = [
            DiskChange::PutSlot {
                slot: Slot::Purged,
                body: codec::encode(&StoredLogId::from(&applied)),
            },
            DiskChange::PutSlot {
                slot: Slot::Vote,
                body: codec::encode(&StoredVote::from(&vote)),
            },
        ];
        disk.write(&changes).map_err(|error| ClusterError::io(path, error))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is.
    pub(crate) fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// Where the log is.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("log.redb")
    }

    /// Where the snapshots are.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    /// Says of what is too new who has written it, and of what is damaged whose it is.
    pub(crate) fn explain(&self, error: ClusterError) -> ClusterError {
        match error {
            ClusterError::NewerFormat { path, found, known, .. } => ClusterError::NewerFormat {
                path,
                found,
                known,
                written_by: self.written_by(),
            },
            ClusterError::CorruptLog { path, detail, .. } => ClusterError::CorruptLog {
                path,
                detail,
                whose: Some((self.node_id, self.path.clone())),
            },
            other => other,
        }
    }

    /// Notes that this version of the software writes here from now on.
    pub(crate) fn sign(&self, software: &str) -> Result<(), ClusterError> {
        if self.written_by().as_deref() == Some(software) {
            return Ok(());
        }
        self.write_identity(software)
    }

    /// The version of the software that has written here last, if it said so.
    pub(crate) fn written_by(&self) -> Option<String> {
        let text = self.identity().ok()?;
        written_by(&text).map(str::to_owned)
    }

    fn identity(&self) -> io::Result<String> {
        let bytes = read_whole(self.files.as_ref(), &self.identity_path())?;
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn write_identity(&self, software: &str) -> Result<(), ClusterError> {
        let (path, text) = (self.identity_path(), identity(self.node_id, software));
        replace_file(self.files.as_ref(), &path, text.as_bytes()).map_err(|error| ClusterError::io(path, error))
    }

    fn identity_path(&self) -> PathBuf {
        self.path.join("IDENTITY")
    }

    fn check(&self, identity: &str, node_id: u64) -> Result<(), ClusterError> {
        let (format, found) = parse(identity).ok_or_else(|| self.unreadable())?;
        if format > FORMAT {
            return Err(ClusterError::NewerFormat {
                path: self.path.clone(),
                found: format,
                known: FORMAT,
                written_by: written_by(identity).map(str::to_owned),
            });
        }
        if found != node_id {
            return Err(ClusterError::ForeignFolder {
                path: self.path.clone(),
                found,
                expected: node_id,
            });
        }
        if !self.has_log()? {
            return Err(ClusterError::corrupt(&self.path, "the log is missing"));
        }
        Ok(())
    }

    /// The log gets its name when it is complete, and the identity is written last. A log without identity is what an
    /// interrupted creation leaves behind if it is empty; otherwise somebody removed the identity.
    fn create(&self, software: &str) -> Result<(), ClusterError> {
        let log = self.log();
        if self.has_snapshots()? || (self.has_log()? && !self.is_log_empty()?) {
            return Err(ClusterError::corrupt(
                &self.path,
                "there is a log or a snapshot, but IDENTITY is missing",
            ));
        }
        self.create_log().map_err(|error| ClusterError::io(&log, error))??;
        self.write_identity(software)
    }

    fn create_log(&self) -> io::Result<Result<(), ClusterError>> {
        let unfinished = self.path.join("log.new");
        if self.files.exists(&unfinished)? {
            self.files.remove_file(&unfinished)?;
        }
        if let Err(error) = RedbDisk::open(self.files.as_ref(), &unfinished) {
            return Ok(Err(error));
        }
        self.files.rename(&unfinished, &self.log())?;
        self.files.sync_folder(&self.path).map(Ok)
    }

    fn has_log(&self) -> Result<bool, ClusterError> {
        let log = self.log();
        self.files.exists(&log).map_err(|error| ClusterError::io(log, error))
    }

    fn is_log_empty(&self) -> Result<bool, ClusterError> {
        let log = self.log();
        let disk = RedbDisk::open(self.files.as_ref(), &log)?;
        let nothing = || -> io::Result<bool> { Ok(disk.bounds()?.is_none() && disk.slot(Slot::Vote)?.is_none()) };
        nothing().map_err(|error| ClusterError::corrupt(log, error.to_string()))
    }

    fn has_snapshots(&self) -> Result<bool, ClusterError> {
        match self.files.list(&self.snapshots()) {
            Ok(found) => Ok(!found.is_empty()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(ClusterError::io(self.snapshots(), error)),
        }
    }

    fn unreadable(&self) -> ClusterError {
        ClusterError::corrupt(&self.path, "IDENTITY is not readable")
    }
}

fn lock(files: &dyn Files, path: &Path) -> Result<Arc<dyn OpenFile>, ClusterError> {
    let name = path.join("LOCK");
    let io = |error| ClusterError::io(&name, error);
    let file = files.open(&name, Opening::Kept).map_err(io)?;
    if file.try_lock().map_err(io)? {
        Ok(file)
    } else {
        Err(ClusterError::Locked { path: path.to_owned() })
    }
}

/// The first line is for people, and says who has written here.
fn identity(node_id: u64, software: &str) -> String {
    format!("{WRITTEN_BY}{software}{DO_NOT}\nformat {FORMAT}\nnode {node_id}\n")
}

fn written_by(identity: &str) -> Option<&str> {
    let line = identity.lines().next()?;
    line.strip_prefix(WRITTEN_BY)?.strip_suffix(DO_NOT)
}

fn parse(identity: &str) -> Option<(u32, u64)> {
    let mut lines = identity.lines().skip(1);
    let format = lines.next()?.strip_prefix("format ")?.parse().ok()?;
    // A later format may say more, or say it otherwise; its number is all that must be understood.
    if format > FORMAT {
        return Some((format, 0));
    }
    let node = lines.next()?.strip_prefix("node ")?.parse().ok()?;
    lines.next().is_none().then_some((format, node))
}

#[cfg(test)]
mod tests;
