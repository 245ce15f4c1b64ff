//! The audit writer as an actor: takes a batch, has it appended, looks again.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::batch::Batch;
use super::handle::{AuditParts, Waiter};
use super::state::{Entry, Gather};
use crate::lock::lock;
use crate::supervision::ActorKind;

/// The audit writer.
pub(crate) struct AuditWriter;

/// What it is told.
pub(crate) enum AuditMessage {
    /// Something waits.
    Wake,
    /// Write down everything that waits, then answer.
    Flush(oneshot::Sender<()>),
}

impl Actor for AuditWriter {
    type Msg = AuditMessage;
    type State = Arc<AuditParts>;
    type Arguments = Arc<AuditParts>;

    async fn pre_start(
        &self,
        _me: ActorRef<AuditMessage>,
        parts: Arc<AuditParts>,
    ) -> Result<Arc<AuditParts>, ActorProcessingErr> {
        Ok(parts)
    }

    async fn handle(
        &self,
        me: ActorRef<AuditMessage>,
        message: AuditMessage,
        parts: &mut Arc<AuditParts>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            // One batch for each message, so that an order to stop is heard between two batches.
            AuditMessage::Wake => {
                gather(parts).await;
                if write_batch(parts).await? {
                    me.send_message(AuditMessage::Wake)?;
                }
            }
            AuditMessage::Flush(done) => {
                while write_batch(parts).await? {}
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
        }
        Ok(())
    }
}

/// Waits a moment for what makes the next batch worth its transaction, if anything does; then what has come is written.
async fn gather(parts: &AuditParts) {
    // A record that presses may be the first of a company: hence a second look.
    for _ in 0..2 {
        let at_most = match lock(&parts.state).on_gather() {
            None => return,
            Some(Gather::Company) => parts.settings.batch_wait,
            Some(Gather::Pressing) => parts.settings.unhurried_wait,
        };
        if tokio::time::timeout(at_most, parts.gathered.notified()).await.is_err() {
            return;
        }
    }
}

/// Appends the next batch; says whether there was one. The transaction runs in a task of its own, which finishes what it
/// has begun and answers its callers even if the writer is killed meanwhile.
async fn write_batch(parts: &Arc<AuditParts>) -> Result<bool, ActorProcessingErr> {
    let entries = lock(&parts.state).on_free(parts.settings.batch_max);
    if entries.is_empty() {
        return Ok(false);
    }
    tokio::spawn(append(parts.clone(), entries)).await?;
    Ok(true)
}

async fn append(parts: Arc<AuditParts>, entries: Vec<Entry<Waiter>>) {
    let lane = parts.lane.lock().await;
    let started = parts.clock.monotonic();
    if let Some(first) = entries.first() {
        let waited = started.saturating_sub(first.since);
        parts.meters.mailbox_wait(ActorKind::AuditWriter).record(waited);
    }
    let mut batch = Batch::new(entries);
    while let Some(records) = batch.next() {
        let (count, started) = (records.len(), parts.clock.monotonic());
        let result = parts.trail.append(records).await;
        let took = parts.clock.monotonic().saturating_sub(started);
        parts.meters.audit_commit_duration.record(took);
        match &result {
            Ok(()) => parts
                .meters
                .audit_batch_size
                .record(u32::try_from(count).unwrap_or(u32::MAX)),
            Err(error) => tracing::warn!(%error, count, "audit records were not appended"),
        }
        for (waiter, answer) in batch.on_appended(result) {
            if let Some(waiter) = waiter {
                // A caller that went away has been told nothing, and so may be told anything.
                let _ = waiter.send(answer);
            }
        }
    }
    drop(lane);
}
