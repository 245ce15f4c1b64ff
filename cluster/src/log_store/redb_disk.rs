//! The log's bytes in a redb database: a table of entries, a table of values, every round one transaction.
//!
//! redb writes a changed page to a new place and keeps a checksum of every page, up to the root. A round that was being
//! written when the machine stopped is therefore not there at all, and damage anywhere else is found when the database
//! is opened, which always verifies everything. Each record has a frame with a checksum of its own besides, so that
//! nothing that was read is believed only because the database says so.

use std::io;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition};

use super::disk::{DiskChange, LogDisk, Slot};
use super::frame::{self, Frame};
use super::redb_file::RedbFile;
use crate::error::ClusterError;
use crate::files::{Files, OpenFile, Opening};

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
const SLOTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("slots");

/// Memory for pages. The newest entries are kept in memory anyhow, older ones are read once.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// A file of at least so many bytes is made smaller when it is opened,
pub(super) const COMPACT_FROM_BYTES: u64 = 16 * 1024 * 1024;
/// if no more than one byte in so many is in use.
const COMPACT_FROM_SHARE: u64 = 4;

/// What a record is, in its frame.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    Entry = 1,
    Slot = 2,
}

/// A log on disk.
pub(super) struct RedbDisk {
    path: PathBuf,
    database: Database,
    /// A write has failed: what is on the disk is no longer known for sure.
    failed: AtomicBool,
}

impl RedbDisk {
    /// Opens the database in `path`, or creates it, and verifies it.
    pub(super) fn open(files: &dyn Files, path: &Path) -> Result<Self, ClusterError> {
        let io = |error| ClusterError::io(path, error);
        let file = files.open(path, Opening::Kept).map_err(io)?;
        if !file.try_lock().map_err(io)? {
            return Err(ClusterError::Locked { path: path.to_owned() });
        }
        Self::on(file, path)
    }

    /// The same in a file that is open, and nobody else's.
    pub(super) fn on(file: Arc<dyn OpenFile>, path: &Path) -> Result<Self, ClusterError> {
        let open = || {
            let mut database = builder().create_with_backend(RedbFile(file.clone()))?;
            let length = file.len()?;
            if is_wasteful(&database, length) && database.compact().is_ok() {
                tracing::info!(path = %path.display(), before = length, "the log's file was made smaller");
            }
            Ok(database)
        };
        // A verified open is not supposed to panic over a damaged file; if it does, that is damage too.
        let database = catch_unwind(AssertUnwindSafe(open))
            .map_err(|_| ClusterError::corrupt(path, "the database does not make sense"))?
            .map_err(|error| describe(path, error))?;
        let disk = Self {
            path: path.to_owned(),
            database,
            failed: AtomicBool::new(false),
        };
        disk.create_tables()
            .map_err(|error| describe(path, DatabaseError::Storage(to_storage(error))))?;
        Ok(disk)
    }

    fn create_tables(&self) -> Result<(), redb::Error> {
        let exist = {
            let reading = self.database.begin_read()?;
            reading.open_table(ENTRIES).is_ok() && reading.open_table(SLOTS).is_ok()
        };
        if exist {
            return Ok(());
        }
        let writing = self.database.begin_write()?;
        drop(writing.open_table(ENTRIES)?);
        drop(writing.open_table(SLOTS)?);
        Ok(writing.commit()?)
    }

    fn write_round(&self, changes: &[DiskChange]) -> Result<(), redb::Error> {
        let writing = self.database.begin_write()?;
        {
            let mut entries = writing.open_table(ENTRIES)?;
            let mut slots = writing.open_table(SLOTS)?;
            for change in changes {
                match change {
                    DiskChange::PutEntry { index, body } => {
                        let framed = frame::write(Frame {
                            kind: Kind::Entry as u8,
                            number: *index,
                            body,
                        });
                        entries.insert(index, framed.as_slice())?;
                    }
                    DiskChange::RemoveEntries(range) => entries.retain_in(range.clone(), |_, _| false)?,
                    DiskChange::PutSlot { slot, body } => {
                        let framed = frame::write(Frame {
                            kind: Kind::Slot as u8,
                            number: slot.number(),
                            body,
                        });
                        slots.insert(slot.name(), framed.as_slice())?;
                    }
                }
            }
        }
        Ok(writing.commit()?)
    }

    fn read_entries(&self, range: RangeInclusive<u64>) -> Result<Vec<(u64, Vec<u8>)>, redb::Error> {
        let entries = self.database.begin_read()?.open_table(ENTRIES)?;
        let mut found = Vec::new();
        for item in entries.range(range)? {
            let (index, framed) = item?;
            found.push((index.value(), framed.value().to_vec()));
        }
        Ok(found)
    }

    fn read_slot(&self, slot: Slot) -> Result<Option<Vec<u8>>, redb::Error> {
        let slots = self.database.begin_read()?.open_table(SLOTS)?;
        Ok(slots.get(slot.name())?.map(|framed| framed.value().to_vec()))
    }

    fn read_bounds(&self) -> Result<Option<RangeInclusive<u64>>, redb::Error> {
        let entries = self.database.begin_read()?.open_table(ENTRIES)?;
        let (first, last) = (entries.first()?, entries.last()?);
        Ok(first
            .zip(last)
            .map(|((first, _), (last, _))| first.value()..=last.value()))
    }

    fn to_io(&self, error: redb::Error) -> io::Error {
        let kind = match &error {
            redb::Error::Io(error) => error.kind(),
            redb::Error::Corrupted(_) => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, format!("{}: {error}", self.path.display()))
    }
}

impl LogDisk for RedbDisk {
    fn write(&self, changes: &[DiskChange]) -> io::Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(io::Error::other(format!(
                "{}: an earlier write has failed",
                self.path.display()
            )));
        }
        self.write_round(changes).map_err(|error| {
            self.failed.store(true, Ordering::Release);
            self.to_io(error)
        })
    }

    fn entries(&self, range: RangeInclusive<u64>) -> io::Result<Vec<(u64, Vec<u8>)>> {
        let framed = self.read_entries(range).map_err(|error| self.to_io(error))?;
        framed
            .into_iter()
            .map(|(index, framed)| Ok((index, unframe(framed, Kind::Entry, index, || format!("entry {index}"))?)))
            .collect()
    }

    fn slot(&self, slot: Slot) -> io::Result<Option<Vec<u8>>> {
        let framed = self.read_slot(slot).map_err(|error| self.to_io(error))?;
        framed
            .map(|framed| unframe(framed, Kind::Slot, slot.number(), || slot.name().to_owned()))
            .transpose()
    }

    fn bounds(&self) -> io::Result<Option<RangeInclusive<u64>>> {
        self.read_bounds().map_err(|error| self.to_io(error))
    }
}

/// Whether most of the file is room that a long log has left behind. While the log is open this room is used again.
fn is_wasteful(database: &Database, length: u64) -> bool {
    let stored = || -> Result<u64, redb::Error> {
        let looking = database.begin_write()?;
        let stored = looking.stats()?.stored_bytes();
        looking.abort()?;
        Ok(stored)
    };
    length > COMPACT_FROM_BYTES && stored().is_ok_and(|stored| stored < length / COMPACT_FROM_SHARE)
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

/// The body of a record, if it is the record that belongs there.
fn unframe(framed: Vec<u8>, kind: Kind, number: u64, name: impl Fn() -> String) -> io::Result<Vec<u8>> {
    let damaged = |detail: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {detail}", name()));
    let frame = frame::read(&framed).map_err(|error| damaged(&error.to_string()))?;
    if frame.kind != kind as u8 || frame.number != number {
        return Err(damaged("another record stands in its place"));
    }
    Ok(frame.body.to_vec())
}

fn to_storage(error: redb::Error) -> StorageError {
    match error {
        redb::Error::Io(error) => StorageError::Io(error),
        other => StorageError::Corrupted(other.to_string()),
    }
}

fn describe(path: &Path, error: DatabaseError) -> ClusterError {
    match error {
        DatabaseError::Storage(StorageError::Io(error)) if !is_damage(&error) => ClusterError::io(path, error),
        other => ClusterError::corrupt(path, other.to_string()),
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
