//! Reading a log back when a node starts: every record is verified before the first is believed.

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::Index;
use super::disk::{LogDisk, Slot};
use super::recent::Recent;
use super::stored::{StoredEntry, StoredLogId, StoredVote};
use crate::codec::{self, CodecError};
use crate::error::ClusterError;
use crate::held::Held;
use crate::raft_types::{Entry, LogId, Vote};

/// How many entries are verified at a time.
const STEP: u64 = 256;

/// What the disk knows of the log; an error names what is damaged. What is not known to be committed is held.
pub(super) fn load(disk: &dyn LogDisk, path: &Path, known: u8, held: &Held) -> Result<Index, ClusterError> {
    let mut index = Index {
        vote: slot::<StoredVote>(disk, path, Slot::Vote)?.map(Vote::from),
        committed: slot::<StoredLogId>(disk, path, Slot::Committed)?.map(LogId::from),
        purged: slot::<StoredLogId>(disk, path, Slot::Purged)?.map(LogId::from),
        first: 0,
        last: None,
        recent: Recent::default(),
        bytes: 0,
    };
    let Some(bounds) = disk.bounds().map_err(|error| unreadable(path, &error))? else {
        return Ok(index);
    };
    let mut expected = index.purged.map_or(0, |purged| purged.index + 1);
    if *bounds.start() != expected {
        let detail = format!("the first entry is {}, it should be {expected}", bounds.start());
        return Err(ClusterError::corrupt(path, detail));
    }
    index.first = expected;
    while expected <= *bounds.end() {
        let end = (*bounds.end()).min(expected + STEP - 1);
        for (number, body) in disk.entries(expected..=end).map_err(|error| unreadable(path, &error))? {
            let entry =
                decode_entry(&body, known).map_err(|error| describe(path, &format!("entry {number}"), error))?;
            verify(&entry, number, expected, index.last()).map_err(|detail| ClusterError::corrupt(path, detail))?;
            index.bytes += body.len() as u64;
            index.last = Some(entry.log_id);
            if index.committed.is_none_or(|committed| committed.index < number) {
                held.reload(&entry);
            } else {
                held.reload_committed(&entry);
            }
            index.recent.push(entry);
            index.recent.durable(number);
            expected += 1;
        }
        if expected <= end {
            return Err(ClusterError::corrupt(path, format!("entry {expected} is missing")));
        }
    }
    Ok(index)
}

fn verify(entry: &Entry, number: u64, expected: u64, previous: Option<LogId>) -> Result<(), String> {
    if number != expected {
        return Err(format!("entry {expected} is missing"));
    }
    if entry.log_id.index != number {
        return Err(format!(
            "entry {number} says of itself that it is entry {}",
            entry.log_id.index
        ));
    }
    if previous.is_some_and(|previous| previous.leader_id > entry.log_id.leader_id) {
        return Err(format!("entry {number} is from an earlier term than the one before"));
    }
    Ok(())
}

/// The entry that bytes are, to one who knows formats up to `known`.
pub(super) fn decode_entry(body: &[u8], known: u8) -> Result<Entry, CodecError> {
    let stored: StoredEntry = codec::decode_up_to(known, body)?;
    stored.into_entry().map_err(CodecError::Malformed)
}

fn slot<T: DeserializeOwned>(disk: &dyn LogDisk, path: &Path, slot: Slot) -> Result<Option<T>, ClusterError> {
    let Some(body) = disk.slot(slot).map_err(|error| unreadable(path, &error))? else {
        return Ok(None);
    };
    codec::decode(&body)
        .map(Some)
        .map_err(|error| describe(path, slot.name(), error))
}

fn describe(path: &Path, what: &str, error: CodecError) -> ClusterError {
    match error {
        CodecError::Newer { found, known } => ClusterError::newer(path, found, known),
        CodecError::Malformed(detail) => ClusterError::corrupt(path, format!("{what}: {detail}")),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> ClusterError {
    ClusterError::corrupt(path, error.to_string())
}

impl super::LogStore {
    /// Fails if the log begins after the place up to which the state is known.
    pub(crate) fn check_continues(&self, applied: Option<LogId>, path: &Path) -> Result<(), ClusterError> {
        match self.index().purged {
            Some(purged) if applied.is_none_or(|applied| applied.index < purged.index) => Err(ClusterError::corrupt(
                path,
                format!(
                    "the log begins after entry {}, but there is no snapshot up to there",
                    purged.index
                ),
            )),
            _ => Ok(()),
        }
    }
}
