//! Puts the folder of a restored cluster where the node looks for it. At no moment is there half of one: the new folder is
//! complete before the former one is moved aside, and whoever is interrupted between the two finds it at the next start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::codec::NEWEST;
use crate::config::ClusterConfig;
use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::{Files, OsFiles};
use crate::log_store::{RAFT_FOLDER, RaftFolder};
use crate::state_machine::{Snapshots, StateAt};

/// Where the new folder is made.
const MAKING: &str = "restoring";
/// Its name when it is complete.
const COMPLETE: &str = "restored";

/// Writes the folder, moves the former one aside and puts the new one in its place; returns where the former one is.
pub(super) fn place(config: &ClusterConfig, at: &StateAt, number: u64) -> Result<Option<PathBuf>, ClusterError> {
    let data_dir = &config.data_dir;
    let (making, complete) = (data_dir.join(MAKING), data_dir.join(COMPLETE));
    let io = |error| ClusterError::io(data_dir, error);
    clear(&making).map_err(io)?;
    clear(&complete).map_err(io)?;
    write(&making, config, at)?;
    std::fs::rename(&making, &complete).map_err(io)?;
    OsFiles.sync_folder(data_dir).map_err(io)?;
    let kept = set_aside(data_dir, number).map_err(io)?;
    finish_restore(&OsFiles, data_dir)?;
    Ok(kept)
}

fn write(making: &Path, config: &ClusterConfig, at: &StateAt) -> Result<(), ClusterError> {
    std::fs::create_dir(making).map_err(|error| ClusterError::io(making, error))?;
    let folder = RaftFolder::open(Arc::new(OsFiles), making, config.node_id, &config.version)?;
    let (snapshots, _) = Snapshots::open(&folder, NEWEST, Execution::Inline)?;
    snapshots
        .save(at)
        .map_err(|error| ClusterError::io(folder.snapshots(), error))?;
    folder.begin_after(at.applied)?;
    for path in [folder.path(), making] {
        OsFiles
            .sync_folder(path)
            .map_err(|error| ClusterError::io(path, error))?;
    }
    Ok(())
}

/// The former folder gets another name. It is not removed: what it holds may be wanted.
fn set_aside(data_dir: &Path, number: u64) -> io::Result<Option<PathBuf>> {
    let folder = data_dir.join(RAFT_FOLDER);
    if !folder.exists() {
        return Ok(None);
    }
    let name = |attempt: u32| match attempt {
        0 => data_dir.join(format!("{RAFT_FOLDER}.before-restore-{number}")),
        _ => data_dir.join(format!("{RAFT_FOLDER}.before-restore-{number}.{attempt}")),
    };
    let free = (0..1_000).map(name).find(|path| !path.exists());
    let kept = free.ok_or_else(|| io::Error::other("a thousand former folders are here already; remove some"))?;
    std::fs::rename(&folder, &kept)?;
    OsFiles.sync_folder(data_dir)?;
    Ok(Some(kept))
}

/// Puts a complete folder into its place if that was interrupted; if the former one is still there, it was not begun.
pub fn finish_restore(files: &dyn Files, data_dir: &Path) -> Result<(), ClusterError> {
    let (folder, complete) = (data_dir.join(RAFT_FOLDER), data_dir.join(COMPLETE));
    let made = complete.join(RAFT_FOLDER);
    let finish = || {
        if files.exists(&folder)? || !files.exists(&made)? {
            return Ok(());
        }
        files.rename(&made, &folder)?;
        files.remove_folder(&complete)?;
        files.sync_folder(data_dir)
    };
    finish().map_err(|error| ClusterError::io(data_dir, error))
}

fn clear(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
