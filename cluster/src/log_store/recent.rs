//! The newest entries of the log, in memory: all that are not yet durable, and some more.

use std::collections::BTreeMap;

use openraft::EntryPayload;

use crate::raft_types::Entry;

/// Durable entries are kept while there are at most so many entries,
const ENTRIES_MAX: usize = 1_024;
/// and at most so many commands in them.
const COMMANDS_MAX: usize = 32_768;

/// A run of entries without a gap, up to the last one of the log.
#[derive(Default)]
pub(super) struct Recent {
    entries: BTreeMap<u64, Entry>,
    commands: usize,
}

impl Recent {
    /// Adds the entry that follows the last one.
    pub(super) fn push(&mut self, entry: Entry) {
        self.commands += weight(&entry);
        self.entries.insert(entry.log_id.index, entry);
    }

    /// Removes the entries from `index` on.
    pub(super) fn truncate(&mut self, index: u64) {
        for entry in self.entries.split_off(&index).values() {
            self.commands -= weight(entry);
        }
    }

    /// Removes the entries up to `index`.
    pub(super) fn purge(&mut self, index: u64) {
        while self.first().is_some_and(|first| first <= index) {
            self.pop();
        }
    }

    /// Everything up to `index` is durable: what is too much may go.
    pub(super) fn durable(&mut self, index: u64) {
        while (self.entries.len() > ENTRIES_MAX || self.commands > COMMANDS_MAX)
            && self.first().is_some_and(|first| first <= index)
        {
            self.pop();
        }
    }

    /// The first index that is here.
    pub(super) fn first(&self) -> Option<u64> {
        self.entries.first_key_value().map(|(index, _)| *index)
    }

    /// The entries of a range that are here.
    pub(super) fn range(&self, range: std::ops::RangeInclusive<u64>) -> impl Iterator<Item = &Entry> {
        self.entries.range(range).map(|(_, entry)| entry)
    }

    fn pop(&mut self) {
        if let Some((_, entry)) = self.entries.pop_first() {
            self.commands -= weight(&entry);
        }
    }
}

fn weight(entry: &Entry) -> usize {
    match &entry.payload {
        EntryPayload::Normal(batch) => batch.commands.len(),
        EntryPayload::Blank | EntryPayload::Membership(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use openraft::entry::RaftEntry as _;

    use super::*;
    use crate::command::{Batch, Command};
    use crate::log_store::stored::StoredLogId;

    fn entry(index: u64, commands: usize) -> Entry {
        let log_id = StoredLogId {
            term: 1,
            leader: 1,
            index,
        };
        let tick = Command::Tick { now: Timestamp::EPOCH };
        Entry::new(
            log_id.into(),
            EntryPayload::Normal(Batch::numbered(index, vec![tick; commands])),
        )
    }

    #[test]
    fn what_is_not_durable_stays_however_much_it_is() {
        let mut recent = Recent::default();
        for index in 1..=5_000 {
            recent.push(entry(index, 1));
        }
        assert_eq!(recent.first(), Some(1));
        recent.durable(100);
        assert_eq!(recent.first(), Some(101));
        recent.durable(5_000);
        assert_eq!(recent.first(), Some(5_001 - ENTRIES_MAX as u64));
    }

    #[test]
    fn few_entries_of_many_commands_are_too_much_as_well() {
        let mut recent = Recent::default();
        for index in 1..=20 {
            recent.push(entry(index, COMMANDS_MAX / 10));
        }
        recent.durable(20);
        assert_eq!(recent.first(), Some(11));
        recent.truncate(15);
        recent.purge(12);
        assert_eq!(
            recent
                .range(0..=100)
                .map(|entry| entry.log_id.index)
                .collect::<Vec<_>>(),
            [13, 14]
        );
        recent.purge(100);
        assert_eq!((recent.first(), recent.commands), (None, 0));
    }
}
