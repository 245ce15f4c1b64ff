//! Reading entries: the newest from memory, older ones from the disk.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds, RangeInclusive};

use futures::stream::{self, Stream, StreamExt as _};
use openraft::{OptionalSend, RaftLogReader};

use super::loading::decode_entry;
use super::{Index, LogStore};
use crate::codec::NEWEST;
use crate::network::ENTRIES_PER_MESSAGE;
use crate::raft_types::{Entry, TypeConfig, Vote};

/// How many entries go to a follower at a time.
const LIMITED_ENTRIES: u64 = ENTRIES_PER_MESSAGE;
/// How many entries are read at a time to be applied.
const APPLIED_ENTRIES: u64 = 128;

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
        let first = (*range.start()).max(self.index().first);
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
            let decode = |(_, body): &(u64, Vec<u8>)| decode_entry(body, NEWEST).map_err(io::Error::other);
            stored.iter().map(decode).collect()
        };
        self.0.execution.run(read).await.map_err(io::Error::other)?
    }
}

/// The part of a range that the log has.
fn clip(range: &impl RangeBounds<u64>, index: &Index) -> Option<RangeInclusive<u64>> {
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
    let clipped = start.max(index.first)..=end.min(last);
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

    /// Reads step by step: all that is left to apply after a restart may be more than should be in memory at once.
    async fn entries_stream<RB>(&mut self, range: RB) -> impl Stream<Item = io::Result<Entry>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let wanted = clip(&range, &self.index());
        let steps = wanted.into_iter().flat_map(|wanted| {
            let (start, end) = wanted.into_inner();
            (start..=end)
                .step_by(APPLIED_ENTRIES as usize)
                .map(move |first| first..=end.min(first + APPLIED_ENTRIES - 1))
        });
        let log = self.clone();
        stream::iter(steps)
            .then(move |step| {
                let log = log.clone();
                async move { log.read(step).await }
            })
            .flat_map(|entries| match entries {
                Ok(entries) => stream::iter(entries.into_iter().map(Ok).collect::<Vec<_>>()),
                Err(error) => stream::iter(vec![Err(error)]),
            })
            .boxed()
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        self.read(start..end.min(start.saturating_add(LIMITED_ENTRIES))).await
    }
}
