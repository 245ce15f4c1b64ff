//! The port to the disk: everything that a node keeps of its log and its snapshots goes through it, so that a simulator
//! can put a disk there that tears and loses what was not synchronized, fills up, or rots.
//!
//! It is as much of a file system as the log needs, and promises as little as disks do: what was written is durable after
//! [`OpenFile::sync`], which files were made, renamed or removed in a folder after [`Files::sync_folder`]. Everything blocks.

mod cursor;
mod open_file;
mod operating_system;
mod pem;
mod whole;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use cursor::FileCursor;
pub use open_file::OpenFile;
pub use operating_system::OsFiles;
pub use pem::{read_pem, warn_if_exposed};
pub(crate) use whole::{read_piece, read_whole, replace_file};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// To be read; it must be there.
    Existing,
    /// To be read and written; it is made if it is not there.
    Kept,
    /// To be read and written, without what it may have held; it is made if it is not there.
    Emptied,
}

/// A file system. Paths are those of the node's configuration, with what the node adds to them.
pub trait Files: Send + Sync {
    /// Makes a folder, and those that it is in, for good: they need no [`Files::sync_folder`]. Nobody but its owner can look
    /// into it afterwards, also if it was there.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Opens a file. Who has it open keeps it, also if it loses its name.
    fn open(&self, path: &Path, how: Opening) -> io::Result<Arc<dyn OpenFile>>;

    /// Gives a file or a folder another name. A file that had this name is replaced, at once or not at all.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a file's name away.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder that is empty.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;

    /// Whether there is a file or a folder.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// What is in a folder, in no particular order.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;

    /// Makes durable which files were made, renamed or removed in a folder.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}
