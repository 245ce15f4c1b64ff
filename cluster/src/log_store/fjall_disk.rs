//! The log's bytes in a fjall database: one keyspace of entries, one of values, every round one atomic batch that is
//! synchronized before it counts.
//!
//! fjall takes the first unreadable spot of its journal for a torn end and cuts off what follows, silently. That is
//! right for a round that was being written when the machine stopped, and wrong for a log that was damaged in the
//! middle: acknowledged entries would vanish. Rounds are therefore numbered, and [`journal_check`](super::journal_check)
//! looks, before fjall does, how far the journal goes.

use std::io;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::disk::{DiskChange, LogDisk, Slot};
use super::frame::{self, Frame};
use super::journal_check;
use crate::error::ClusterError;

/// Memory for blocks that were read back; the log is read once, at start.
const CACHE_BYTES: u64 = 2 * 1024 * 1024;
/// Memory for what is not yet in a table.
const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;
/// The journal's files together; the least that fjall allows.
const JOURNAL_BYTES: u64 = 64 * 1024 * 1024;
/// Threads for flushing and compacting; a log needs little of either.
const WORKERS: usize = 1;
/// Where the number of the last round is kept.
const ROUND_KEY: &str = "round";

/// What a record of ours is, in its frame.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    Entry = 1,
    Slot = 2,
    Round = 3,
}

/// A log on disk.
pub(crate) struct FjallDisk {
    path: PathBuf,
    database: Database,
    entries: Keyspace,
    slots: Keyspace,
    /// The number of the last round that is durable; `None` once a round has failed.
    round: Mutex<Option<u64>>,
}

impl FjallDisk {
    /// Opens the database in `path`, or creates it. Refuses one that has lost rounds.
    pub(crate) fn open(path: &Path) -> Result<Self, ClusterError> {
        let seen = journal_check::last_round_in(path)?;
        // fjall asserts what it expects of its files; a damaged folder must be an error, not a panic.
        let opened = catch_unwind(AssertUnwindSafe(|| open_database(path)));
        let (database, entries, slots) = opened
            .map_err(|_| ClusterError::corrupt(path, "the database's files are not as they were written"))?
            .map_err(|error| describe(path, &error))?;
        let round = read_round(&slots).map_err(|error| ClusterError::corrupt(path, error.to_string()))?;
        // The round after the last one may have been torn by a crash; it was not acknowledged. One more cannot be.
        if let Some(seen) = seen.filter(|seen| *seen > round + 1) {
            let detail = format!("its journal goes on to round {seen}, but is readable only to round {round}");
            return Err(ClusterError::corrupt(path, detail));
        }
        Ok(Self {
            path: path.to_owned(),
            database,
            entries,
            slots,
            round: Mutex::new(Some(round)),
        })
    }

    fn write_round(&self, number: u64, changes: &[DiskChange]) -> fjall::Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for change in changes {
            match change {
                DiskChange::PutEntry { index, body } => {
                    let framed = frame::write(Frame {
                        kind: Kind::Entry as u8,
                        number,
                        body,
                    });
                    batch.insert(&self.entries, index.to_be_bytes(), framed);
                }
                DiskChange::RemoveEntries(range) => {
                    for index in range.clone() {
                        batch.remove(&self.entries, index.to_be_bytes());
                    }
                }
                DiskChange::PutSlot { slot, body } => {
                    let framed = frame::write(Frame {
                        kind: Kind::Slot as u8,
                        number,
                        body,
                    });
                    batch.insert(&self.slots, slot.name(), framed);
                }
            }
        }
        batch.insert(
            &self.slots,
            ROUND_KEY,
            frame::write(Frame {
                kind: Kind::Round as u8,
                number,
                body: &[],
            }),
        );
        batch.commit()
    }

    fn failed(&self, error: impl std::fmt::Display) -> io::Error {
        io::Error::other(format!("{}: {error}", self.path.display()))
    }
}

impl LogDisk for FjallDisk {
    fn write(&self, changes: &[DiskChange]) -> io::Result<()> {
        let mut round = self
            .round
            .lock()
            .map_err(|_| self.failed("an earlier write has failed"))?;
        let number = round.take().ok_or_else(|| self.failed("an earlier write has failed"))? + 1;
        self.write_round(number, changes).map_err(|error| self.failed(error))?;
        *round = Some(number);
        Ok(())
    }

    fn entries(&self, range: RangeInclusive<u64>) -> io::Result<Vec<(u64, Vec<u8>)>> {
        let keys = range.start().to_be_bytes()..=range.end().to_be_bytes();
        self.entries
            .range(keys)
            .map(|item| {
                let (key, value) = item.into_inner().map_err(|error| self.failed(error))?;
                let index = parse_index(&key).ok_or_else(|| self.failed("an entry has no number"))?;
                let body = unframe(&value, Kind::Entry)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("entry {index}: {error}")))?;
                Ok((index, body))
            })
            .collect()
    }

    fn slot(&self, slot: Slot) -> io::Result<Option<Vec<u8>>> {
        let Some(value) = self.slots.get(slot.name()).map_err(|error| self.failed(error))? else {
            return Ok(None);
        };
        unframe(&value, Kind::Slot)
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", slot.name())))
    }

    fn bounds(&self) -> io::Result<Option<RangeInclusive<u64>>> {
        let index = |guard: fjall::Guard| {
            let key = guard.key().map_err(|error| self.failed(error))?;
            parse_index(&key).ok_or_else(|| self.failed("an entry has no number"))
        };
        match (self.entries.first_key_value(), self.entries.last_key_value()) {
            (Some(first), Some(last)) => Ok(Some(index(first)?..=index(last)?)),
            _ => Ok(None),
        }
    }
}

fn open_database(path: &Path) -> fjall::Result<(Database, Keyspace, Keyspace)> {
    let database = Database::builder(path)
        .cache_size(CACHE_BYTES)
        .max_journaling_size(JOURNAL_BYTES)
        .worker_threads(WORKERS)
        // The check of the journal finds records by their bytes, so they must be there as they are.
        .journal_compression(CompressionType::None)
        .manual_journal_persist(true)
        .open()?;
    let options = || {
        KeyspaceCreateOptions::default()
            .max_memtable_size(MEMTABLE_BYTES)
            .manual_journal_persist(true)
    };
    let entries = database.keyspace("entries", options)?;
    let slots = database.keyspace("slots", options)?;
    Ok((database, entries, slots))
}

fn read_round(slots: &Keyspace) -> io::Result<u64> {
    let Some(value) = slots.get(ROUND_KEY).map_err(io::Error::other)? else {
        return Ok(0);
    };
    let frame = frame::read(&value).map_err(|error| io::Error::other(format!("the last round: {error}")))?;
    Ok(frame.number)
}

fn unframe(value: &[u8], kind: Kind) -> Result<Vec<u8>, String> {
    let frame = frame::read(value).map_err(|error| error.to_string())?;
    if frame.kind == kind as u8 {
        Ok(frame.body.to_vec())
    } else {
        Err("a record stands in another's place".to_owned())
    }
}

fn parse_index(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

fn describe(path: &Path, error: &fjall::Error) -> ClusterError {
    match error {
        fjall::Error::Locked => ClusterError::Locked { path: path.to_owned() },
        fjall::Error::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            ClusterError::io(path, io::Error::new(error.kind(), error.to_string()))
        }
        other => ClusterError::corrupt(path, other.to_string()),
    }
}
