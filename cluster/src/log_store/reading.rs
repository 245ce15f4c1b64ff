//! Reading entries: the newest from memory, older ones from the disk.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds, RangeInclusive};

use openraft::{OptionalSend, RaftLogReader};

use super::loading::decode_entry;
use super::{Index, LogStore};
use crate::config::Execution;
use crate::raft_types::{Entry, TypeConfig, Vote};

/// How many entries are handed out at a time where the caller leaves it to us.
const LIMITED_ENTRIES: u64 = 512;

impl LogStore {
    async fn read(&self, range: impl RangeBounds<u64>) -> io::Result<Vec<Entry>> {
        let (old, mut recent) = {
            let index = self.index();
            let Some(wanted) = clip(&range, &index) else {
                return Ok(Vec::new());
            };
            let (start, end) = wanted.into_inner();
            let boundary = index.recent.first().unwrap_or(u64::MAX);
            let recent: Vec<Entry> = index.recent.range(start..=end).cloned().collect();
            ((start < boundary).then(|| start..=end.min(boundary - 1)), recent)
        };
        let Some(old) = old else { return Ok(recent) };
        let mut entries = self.read_disk(old.clone()).await?;
        self.check_complete(&old, &entries)?;
        entries.append(&mut recent);
        Ok(entries)
    }

    /// Entries may have been given up while they were read, from the first one on; nothing else may be missing.
    fn check_complete(&self, range: &RangeInclusive<u64>, entries: &[Entry]) -> io::Result<()> {
        let purged = self.index().purged.map_or(0, |purged| purged.index + 1);
        let first = (*range.start()).max(purged);
        let found = entries
            .iter()
            .map(|entry| entry.log_id.index)
            .filter(|index| *index >= first);
        if found.eq(first..=*range.end()) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the log has a gap between {first} and {}", range.end()),
        ))
    }

    async fn read_disk(&self, range: RangeInclusive<u64>) -> io::Result<Vec<Entry>> {
        let disk = self.0.writer.disk()?;
        let read = move || {
            let stored = disk.entries(range)?;
            let decode = |(_, body): &(u64, Vec<u8>)| decode_entry(body).map_err(io::Error::other);
            stored.iter().map(decode).collect()
        };
        match self.0.execution {
            Execution::Inline => read(),
            Execution::Threads => tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?,
        }
    }
}

/// The part of a range that the log has.
fn clip(range: &impl RangeBounds<u64>, index: &Index) -> Option<RangeInclusive<u64>> {
    let first = index.purged.map_or(0, |purged| purged.index + 1);
    let last = index.last?.index;
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(start) => start.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(end) => *end,
        Bound::Excluded(end) => end.checked_sub(1)?,
        Bound::Unbounded => u64::MAX,
    };
    let clipped = start.max(first)..=end.min(last);
    (!clipped.is_empty()).then_some(clipped)
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        self.read((range.start_bound().cloned(), range.end_bound().cloned()))
            .await
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.index().vote)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        self.read(start..end.min(start.saturating_add(LIMITED_ENTRIES))).await
    }
}
