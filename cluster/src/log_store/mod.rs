//! The Raft log: entries, the vote and how far the log was given up, durable before anybody is told so.
//!
//! What must be durable goes to a [`writer`] that gathers whatever has queued into one synchronized round. What was
//! not yet written can be read all the same: the newest entries are kept in memory, which also spares the way back
//! from the disk when they are applied.

mod disk;
mod folder;
pub(crate) mod frame;
mod loading;
mod reading;
mod recent;
mod redb_disk;
mod redb_file;
mod storage;
pub(crate) mod stored;
mod writer;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use folder::{RAFT_FOLDER, RaftFolder};

use crate::error::ClusterError;
use crate::execution::Execution;
use crate::held::Held;
use crate::lock::lock;
use crate::raft_types::{LogId, Vote};
use disk::LogDisk;
use recent::Recent;
use writer::Writer;

/// The log of one node. Copies share it.
#[derive(Clone)]
pub(crate) struct LogStore(Arc<Inner>);

struct Inner {
    index: Arc<Mutex<Index>>,
    writer: Writer,
    held: Arc<Held>,
    execution: Execution,
}

/// What is known of the log without asking the disk.
struct Index {
    vote: Option<Vote>,
    committed: Option<LogId>,
    purged: Option<LogId>,
    /// Where the entries begin, if there are any.
    first: u64,
    last: Option<LogId>,
    recent: Recent,
    /// How many bytes were appended since entries were last given up, or are there since the log was opened.
    bytes: u64,
}

impl Index {
    /// The last entry, or the last one that was given up if there is none.
    fn last(&self) -> Option<LogId> {
        self.last.or(self.purged)
    }
}

impl LogStore {
    /// Opens the log in the folder and verifies every record of it.
    ///
    /// Fails if a record is of a later format than `known`.
    pub(crate) fn open(folder: &RaftFolder, known: u8, execution: Execution) -> Result<Self, ClusterError> {
        let path = folder.log();
        let disk = redb_disk::RedbDisk::open(folder.files().as_ref(), &path)?;
        Self::on(Arc::new(disk), &path, known, execution)
    }

    fn on(disk: Arc<dyn LogDisk>, path: &Path, known: u8, execution: Execution) -> Result<Self, ClusterError> {
        let held = Arc::new(Held::default());
        let index = Arc::new(Mutex::new(loading::load(disk.as_ref(), path, known, &held)?));
        let writer = Writer::start(disk, execution).map_err(|error| ClusterError::io(path, error))?;
        Ok(Self(Arc::new(Inner {
            index,
            writer,
            held,
            execution,
        })))
    }

    /// What the log holds and the state does not have yet.
    pub(crate) fn held(&self) -> Arc<Held> {
        self.0.held.clone()
    }

    /// Whether it has everything that was ever in it.
    pub(crate) fn is_complete(&self) -> bool {
        self.index().purged.is_none()
    }

    /// Whether nothing was ever in it, nor a vote.
    pub(crate) fn is_untouched(&self) -> bool {
        let index = self.index();
        index.last().is_none() && index.vote.is_none()
    }

    /// How many bytes of entries have come in since some were last given up.
    pub(crate) fn bytes(&self) -> u64 {
        self.index().bytes
    }

    /// Writes what is waiting and lets go of the files. Whoever still holds a copy gets errors from now on.
    pub(crate) async fn close(&self) {
        let committed = self.index().committed;
        self.0.writer.close(committed).await;
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.0.index)
    }
}

fn closed() -> io::Error {
    io::Error::other("the log is closed")
}

#[cfg(test)]
mod tests;
