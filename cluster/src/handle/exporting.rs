//! A snapshot for safe-keeping, through the handle: piece by piece, since it may be large.

use std::io;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;

use super::ClusterHandle;
use crate::error::ClusterError;
use crate::files::read_piece;
use crate::raft_types::{RaftMetrics, Snapshot};
use crate::state_machine::Snapshots;

/// How many bytes a piece has at most.
const PIECE_BYTES_MAX: u64 = 512 * 1024;
/// How long the snapshot may take to be written.
const WRITE_DEADLINE: Duration = Duration::from_secs(60);

/// A piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPiece {
    /// Which snapshot: the index of the last log entry that is part of it.
    pub index: u64,
    /// Where in the file the piece begins.
    pub offset: u64,
    /// The piece.
    pub bytes: Vec<u8>,
    /// Whether the file ends with it.
    pub is_last: bool,
}

impl ClusterHandle {
    /// Writes a snapshot that holds everything that was acknowledged before the call, anywhere in the cluster; returns
    /// its index, for [`ClusterHandle::snapshot_piece`].
    pub async fn snapshot_now(&self) -> Result<u64, ClusterError> {
        self.refresh().await.map_err(ClusterError::Refused)?;
        let raft = self.0.leader.raft();
        let applied = raft.metrics().borrow_watched().last_applied.map_or(0, |id| id.index);
        self.snapshot().await?;
        let is_there = move |metrics: &RaftMetrics| metrics.snapshot.as_ref().is_some_and(|at| at.index >= applied);
        let waiting = raft.wait(Some(WRITE_DEADLINE));
        let written = waiting.metrics(is_there, "a snapshot").await;
        let metrics = written.map_err(|_| ClusterError::Refused("the snapshot was not written in time".to_owned()))?;
        Ok(metrics.snapshot.map_or(0, |id| id.index))
    }

    /// A piece of the node's snapshot. Refused if the snapshot is not the one of this index any more.
    pub async fn snapshot_piece(&self, index: u64, offset: u64) -> Result<SnapshotPiece, ClusterError> {
        let read = move |snapshots: &Snapshots| -> io::Result<Option<(Vec<u8>, bool)>> {
            let current = snapshots.current()?;
            let is_wanted = |at: &Snapshot| at.meta.last_log_id.is_some_and(|id| id.index == index);
            let Some(current) = current.filter(is_wanted) else {
                return Ok(None);
            };
            let file = current.snapshot.0;
            let length = file.len()?;
            let bytes = read_piece(&file, offset, PIECE_BYTES_MAX)?;
            let is_last = offset + bytes.len() as u64 >= length;
            Ok(Some((bytes, is_last)))
        };
        match self.0.snapshots.clone().run(read).await {
            Ok(Some((bytes, is_last))) => Ok(SnapshotPiece {
                index,
                offset,
                bytes,
                is_last,
            }),
            Ok(None) => Err(ClusterError::Refused(
                "a later snapshot has taken its place; begin again".to_owned(),
            )),
            Err(error) => Err(ClusterError::Stopped(format!("the snapshot cannot be read: {error}"))),
        }
    }
}
