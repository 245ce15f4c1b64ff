//! The consensus library's view of the log.

use std::io;

use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend};

use super::disk::{DiskChange, Slot};
use super::stored::{StoredEntry, StoredLogId, StoredVote};
use super::writer::{Waiter, put_committed};
use super::{Index, LogStore};
use crate::codec;
use crate::held::Held;
use crate::lock::lock;
use crate::raft_types::{Entry, LogId, TypeConfig, Vote};

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = LogStore;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let index = self.index();
        Ok(LogState {
            last_purged_log_id: index.purged,
            last_log_id: index.last(),
        })
    }

    async fn get_log_reader(&mut self) -> LogStore {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let body = codec::encode(&StoredVote::from(vote));
        self.0
            .writer
            .write(vec![DiskChange::PutSlot { slot: Slot::Vote, body }])
            .await?;
        self.index().vote = Some(*vote);
        Ok(())
    }

    /// Goes to the disk with the next round: it may lag behind, and a write of its own would cost as much as an entry.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.index().committed = committed;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.index().committed)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let (changes, last) = self.index().append(entries, &self.0.held);
        let (index, held) = (self.0.index.clone(), self.0.held.clone());
        let mark_durable = move || {
            if let Some(last) = last {
                lock(&index).recent.durable(last);
                held.durable(last);
            }
        };
        self.0
            .writer
            .submit(changes, Waiter::Appended(callback, Box::new(mark_durable)))
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        let first = last_log_id.map_or(0, |last| last.index + 1);
        let Some(end) = self.index().last.map(|last| last.index).filter(|end| *end >= first) else {
            return Ok(());
        };
        self.0
            .writer
            .write(vec![DiskChange::RemoveEntries(first..=end)])
            .await?;
        self.index().truncate(first, last_log_id);
        self.0.held.truncate(first);
        Ok(())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        let changes = self.index().purge(log_id);
        if changes.is_empty() {
            Ok(())
        } else {
            self.0.writer.write(changes).await
        }
    }
}

impl Index {
    fn append(&mut self, entries: impl IntoIterator<Item = Entry>, held: &Held) -> (Vec<DiskChange>, Option<u64>) {
        let mut changes: Vec<DiskChange> = self.committed.iter().map(put_committed).collect();
        for entry in entries {
            held.add([&entry], self.vote.as_ref());
            let index = entry.log_id.index;
            let body = StoredEntry::from(&entry).to_bytes();
            self.bytes += body.len() as u64;
            changes.push(DiskChange::PutEntry { index, body });
            if self.last.is_none() {
                self.first = index;
            }
            self.last = Some(entry.log_id);
            self.recent.push(entry);
        }
        (changes, self.last.map(|last| last.index))
    }

    fn truncate(&mut self, first: u64, last: Option<LogId>) {
        self.recent.truncate(first);
        // Whatever comes before the first entry that is left was given up, not cut off.
        self.last = last.filter(|last| last.index >= self.first);
    }

    fn purge(&mut self, upto: LogId) -> Vec<DiskChange> {
        if self.purged.is_some_and(|purged| purged >= upto) {
            return Vec::new();
        }
        let mut changes = vec![DiskChange::PutSlot {
            slot: Slot::Purged,
            body: codec::encode(&StoredLogId::from(&upto)),
        }];
        if let Some(last) = self.last
            && self.first <= upto.index
        {
            changes.push(DiskChange::RemoveEntries(self.first..=last.index.min(upto.index)));
            if last.index <= upto.index {
                self.last = None;
            }
        }
        self.bytes = 0;
        self.recent.purge(upto.index);
        self.first = self.first.max(upto.index + 1);
        self.purged = Some(upto);
        changes
    }
}
