//! The log against the consensus library's own suite, against a disk that fails, and against damage.

mod conformance;
mod damage;
mod failing;
mod growth;

use std::sync::Arc;

use domain::Timestamp;
use openraft::EntryPayload;
use openraft::entry::RaftEntry as _;
use openraft::storage::{IOFlushed, RaftLogStorage as _};
use openraft::type_config::TypeConfigExt as _;

use super::stored::StoredLogId;
use super::*;
use crate::command::{Batch, Command};
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

/// Appends entries and waits until they are durable.
async fn append(log: &LogStore, entries: Vec<Entry>) -> io::Result<()> {
    let (sender, receiver) = TypeConfig::oneshot();
    log.clone()
        .append(entries, IOFlushed::<TypeConfig>::signal(sender))
        .await?;
    receiver.await.map_err(io::Error::other)?
}
