//! The log against the consensus library's own suite, against a disk that fails, and against damage.

mod conformance;
mod damage;
mod failing;
mod growth;

use std::sync::Arc;

use domain::{Revocation, Subject, Timestamp, TokenId};
use openraft::EntryPayload;
use openraft::entry::RaftEntry as _;
use openraft::storage::{IOFlushed, RaftLogStorage as _};
use openraft::type_config::TypeConfigExt as _;
use uuid::Uuid;

use super::stored::StoredLogId;
use super::*;
use crate::codec::NEWEST;
use crate::command::{Batch, Command};
use crate::files::OsFiles;
use crate::raft_types::{Entry, TypeConfig};

/// An entry whose content tells its index.
fn entry(index: u64) -> Entry {
    let log_id = StoredLogId {
        term: 1,
        leader: 1,
        index,
    };
    let now = Timestamp::from_millis(i64::try_from(index).unwrap());
    Entry::new(
        log_id.into(),
        EntryPayload::Normal(Batch::numbered(index, vec![Command::Tick { now }])),
    )
}

#[tokio::test]
async fn what_is_not_known_to_be_committed_is_refused_again_after_a_restart() {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = RaftFolder::open(Arc::new(OsFiles), data_dir.path(), 1, "test").unwrap();
    let revoking = |index: u64| {
        let subject = Subject::Token(TokenId(Uuid::from_u128(u128::from(index))));
        let forget_at = Timestamp::from_seconds(1_900_000_000);
        let commands = vec![Command::Revoke(Revocation { subject, forget_at })];
        let log_id = StoredLogId {
            term: 1,
            leader: 1,
            index,
        };
        Entry::new(log_id.into(), EntryPayload::Normal(Batch::numbered(index, commands)))
    };
    let batch = |index| Batch::numbered(index, Vec::new()).id;
    let log = LogStore::open(&folder, NEWEST, Execution::Threads).unwrap();
    append(&log, (0..4).map(revoking).collect()).await.unwrap();
    let committed = revoking(1).log_id;
    log.clone().save_committed(Some(committed)).await.unwrap();
    assert!((0..4).all(|index| log.held().find(batch(index)).is_some()));
    log.clone().truncate_after(Some(revoking(2).log_id)).await.unwrap();
    assert_eq!(log.held().find(batch(3)), None);
    log.close().await;
    drop(log);
    let log = LogStore::open(&folder, NEWEST, Execution::Threads).unwrap();
    let is_held = |index| log.held().find(batch(index)).is_some();
    assert_eq!([0, 1, 2, 3].map(is_held), [false, false, true, false]);
    log.close().await;
}

/// Appends entries and waits until they are durable.
async fn append(log: &LogStore, entries: Vec<Entry>) -> io::Result<()> {
    let (sender, receiver) = TypeConfig::oneshot();
    log.clone()
        .append(entries, IOFlushed::<TypeConfig>::signal(sender))
        .await?;
    receiver.await.map_err(io::Error::other)?
}
