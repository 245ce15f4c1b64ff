//! A disk that fails: nobody is told that something is durable, and nothing is taken afterwards.

use std::ops::RangeInclusive;
use std::sync::Mutex;

use openraft::RaftLogReader as _;

use super::*;
use crate::log_store::disk::{DiskChange, LogDisk, Slot};
use crate::raft_types::Vote;

/// Takes a number of rounds, then says that it is full. Keeps nothing.
struct Filling {
    rounds_left: Mutex<usize>,
}

impl LogDisk for Filling {
    fn write(&self, _changes: &[DiskChange]) -> io::Result<()> {
        let mut left = self.rounds_left.lock().unwrap();
        *left = left
            .checked_sub(1)
            .ok_or_else(|| io::Error::new(io::ErrorKind::StorageFull, "no space left"))?;
        Ok(())
    }
    fn entries(&self, _range: RangeInclusive<u64>) -> io::Result<Vec<(u64, Vec<u8>)>> {
        Ok(Vec::new())
    }
    fn slot(&self, _slot: Slot) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
    fn bounds(&self) -> io::Result<Option<RangeInclusive<u64>>> {
        Ok(None)
    }
}

fn filling(rounds: usize, execution: Execution) -> LogStore {
    let disk = Arc::new(Filling {
        rounds_left: Mutex::new(rounds),
    });
    LogStore::on(disk, std::path::Path::new("nowhere"), crate::codec::NEWEST, execution).unwrap()
}

#[tokio::test]
async fn a_full_disk_fails_what_was_to_be_written() {
    for execution in [Execution::Threads, Execution::Inline] {
        let log = filling(1, execution);
        append(&log, vec![entry(0)]).await.unwrap();
        let error = append(&log, vec![entry(1)]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{execution:?}");
        let error = log.clone().save_vote(&Vote::new(7, 1)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(
            log.clone().read_vote().await.unwrap(),
            None,
            "a vote that is not durable was not given"
        );
        log.close().await;
    }
}

#[tokio::test]
async fn a_closed_log_takes_and_gives_nothing() {
    for execution in [Execution::Threads, Execution::Inline] {
        let log = filling(100, execution);
        append(&log, (0..3_000).map(entry).collect()).await.unwrap();
        log.close().await;
        assert!(append(&log, vec![entry(3_000)]).await.is_err(), "{execution:?}");
        assert!(
            log.clone().try_get_log_entries(0..10).await.is_err(),
            "what is not in memory cannot be read"
        );
    }
}

#[tokio::test]
async fn a_gap_is_an_error_and_not_an_answer() {
    let log = filling(100, Execution::Inline);
    append(&log, (0..3_000).map(entry).collect()).await.unwrap();
    let error = log.clone().try_get_log_entries(0..10).await.unwrap_err();
    assert!(error.to_string().contains("gap"), "this disk has kept nothing: {error}");
}
