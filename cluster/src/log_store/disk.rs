//! The port between the log store and whatever keeps its bytes: a set of numbered entries and a few named values,
//! changed in rounds. What is below, files that a simulator can tear, is [another port](crate::files).

use std::io;
use std::ops::RangeInclusive;

/// A value beside the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// Whom this node voted for.
    Vote,
    /// Up to where the log is known to be committed; may lag behind.
    Committed,
    /// Up to where the log was given up.
    Purged,
}

impl Slot {
    /// The name under which it is kept.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Slot::Vote => "vote",
            Slot::Committed => "committed",
            Slot::Purged => "purged",
        }
    }

    /// The number that its record carries.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Slot::Vote => 1,
            Slot::Committed => 2,
            Slot::Purged => 3,
        }
    }
}

/// One change of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DiskChange {
    /// An entry is written, or written over.
    PutEntry { index: u64, body: Vec<u8> },
    /// Entries go.
    RemoveEntries(RangeInclusive<u64>),
    /// A value is set.
    PutSlot { slot: Slot, body: Vec<u8> },
}

/// Keeps the log's bytes. All methods block.
pub(crate) trait LogDisk: Send + Sync {
    /// Makes the changes, all or none; they are durable when it returns. After a failure nothing more is taken.
    fn write(&self, changes: &[DiskChange]) -> io::Result<()>;

    /// The entries of a range that are there, in order. The caller has made sure that they were written.
    fn entries(&self, range: RangeInclusive<u64>) -> io::Result<Vec<(u64, Vec<u8>)>>;

    /// A value, if it was ever set.
    fn slot(&self, slot: Slot) -> io::Result<Option<Vec<u8>>>;

    /// The first and the last entry that are there.
    fn bounds(&self) -> io::Result<Option<RangeInclusive<u64>>>;
}
