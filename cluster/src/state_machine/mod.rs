//! The state machine that the consensus library drives: applies committed entries to the [`State`], shows the result to
//! readers before it answers, and takes and installs snapshots.

mod snapshot_file;
mod snapshots;

use std::io;
use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};

pub(crate) use snapshot_file::SnapshotFile;
pub(crate) use snapshots::{Snapshots, StateAt};

use crate::command::BatchResults;
use crate::publish::Published;
use crate::raft_types::{Entry, LogId, Snapshot, SnapshotMeta, StoredMembership, TypeConfig};
use crate::state::State;

/// After so many entries readers and callers are told, even if more are waiting.
const ENTRIES_PER_PUBLICATION: usize = 64;

/// The state with its place in the log, and where its snapshots go.
pub(crate) struct StateMachine {
    at: StateAt,
    published: Arc<Published>,
    snapshots: Arc<Snapshots>,
}

type Answer = (ApplyResponder<TypeConfig>, BatchResults);

impl StateMachine {
    /// Begins with what the latest snapshot held.
    pub(crate) fn new(at: StateAt, published: Arc<Published>, snapshots: Arc<Snapshots>) -> Self {
        Self {
            at,
            published,
            snapshots,
        }
    }

    /// Readers see the new state before anybody is told that a change is done.
    fn publish_and_answer(&self, answers: &mut Vec<Answer>) {
        self.published.publish(&self.at);
        for (responder, results) in answers.drain(..) {
            responder.send(results);
        }
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.at.applied, self.at.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        let mut answers: Vec<Answer> = Vec::new();
        let mut unpublished = 0;
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            let results = self.at.apply(&entry);
            unpublished += 1;
            answers.extend(responder.map(|responder| (responder, results)));
            if unpublished == ENTRIES_PER_PUBLICATION {
                self.publish_and_answer(&mut answers);
                unpublished = 0;
            }
        }
        self.publish_and_answer(&mut answers);
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            at: self.at.clone(),
            snapshots: self.snapshots.clone(),
        }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: SnapshotFile) -> Result<(), io::Error> {
        let wanted = meta.last_log_id;
        let work = move |snapshots: &Snapshots| snapshots.install(&snapshot, wanted);
        self.at = self.snapshots.clone().run(work).await?;
        self.published.publish(&self.at);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        self.snapshots.clone().run(Snapshots::current).await
    }
}

/// Writes a snapshot of one moment while the state goes on changing.
pub(crate) struct SnapshotBuilder {
    at: StateAt,
    snapshots: Arc<Snapshots>,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let at = self.at.clone();
        self.snapshots.clone().run(move |snapshots| snapshots.save(&at)).await
    }
}

impl StateAt {
    /// Nothing applied yet.
    pub(crate) fn initial() -> Self {
        Self {
            applied: None,
            membership: StoredMembership::default(),
            state: State::default(),
        }
    }

    /// Applies the next entry.
    pub(crate) fn apply(&mut self, entry: &Entry) -> BatchResults {
        self.applied = Some(entry.log_id);
        match &entry.payload {
            EntryPayload::Blank => BatchResults::default(),
            EntryPayload::Normal(batch) => self.state.apply_batch(batch),
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
                BatchResults::default()
            }
        }
    }
}

#[cfg(test)]
mod tests;
