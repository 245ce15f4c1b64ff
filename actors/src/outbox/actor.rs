//! The outbox relay as an actor. Nobody waits for it, so it does its work in its own time, each call under a deadline.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{ReplicationError, StoreError};
use domain::{OutboxId, Timestamp};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::handle::OutboxParts;
use super::state::Leftovers;
use crate::backoff::Backoff;
use crate::lock::lock;

/// The relay.
pub(crate) struct OutboxRelay;

/// What it is told.
pub(crate) enum OutboxMessage {
    /// Finish everything that is pending, however young; then go on as usual.
    Start,
    /// A request finished an entry; more may follow shortly.
    Finished,
    /// Mark what is finished.
    Complete,
    /// Look for what stayed behind.
    Sweep,
    /// Mark what is finished, then answer.
    Close(oneshot::Sender<()>),
}

pub(crate) struct OutboxState {
    parts: Arc<OutboxParts>,
    backoff: Backoff,
}

/// Why a step of the relay failed. It will be tried again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Replication(#[from] ReplicationError),
    #[error("no answer came in time")]
    Late(#[from] Elapsed),
}

/// Everything that is pending occurred before that, also if this machine's clock is late.
const CLOCK_MARGIN: Duration = Duration::from_secs(86_400);

impl OutboxState {
    async fn complete(&self) -> Result<(), RelayError> {
        let ids = lock(&self.parts.finished).take();
        let result = self.mark(&ids).await;
        if result.is_err() {
            lock(&self.parts.finished).give_back(ids);
        }
        result
    }

    async fn mark(&self, ids: &[OutboxId]) -> Result<(), RelayError> {
        if ids.is_empty() {
            return Ok(());
        }
        let marking = self.parts.outbox.complete(ids);
        Ok(timeout(self.parts.settings.deadline, marking).await??)
    }

    /// Finishes every entry that occurred before `before`.
    async fn sweep(&self, before: Timestamp) -> Result<(), RelayError> {
        loop {
            let settings = &self.parts.settings;
            let looking = self.parts.outbox.pending(before, settings.page);
            let entries = timeout(settings.deadline, looking).await??;
            let is_last_page = entries.len() < usize::try_from(settings.page).unwrap_or(usize::MAX);
            let leftovers = {
                let finished = lock(&self.parts.finished);
                Leftovers::of(entries, |id| finished.contains(id))
            };
            let nothing_new = leftovers.ids.is_empty();
            if !leftovers.changes.is_empty() {
                tracing::info!(count = leftovers.ids.len(), "finishing changes that stayed behind");
                let applying = self.parts.replication.apply(leftovers.changes);
                timeout(settings.deadline, applying).await??;
            }
            self.mark(&leftovers.ids).await?;
            if is_last_page || nothing_new {
                return Ok(());
            }
        }
    }

    /// When to do the next step after this one.
    fn next_pause(&mut self, result: Result<(), RelayError>) -> Duration {
        self.backoff.next_pause(result, "the outbox could not be emptied")
    }
}

impl Actor for OutboxRelay {
    type Msg = OutboxMessage;
    type State = OutboxState;
    type Arguments = Arc<OutboxParts>;

    async fn pre_start(
        &self,
        _me: ActorRef<OutboxMessage>,
        parts: Arc<OutboxParts>,
    ) -> Result<OutboxState, ActorProcessingErr> {
        let settings = &parts.settings;
        Ok(OutboxState {
            backoff: Backoff::new(settings.sweep..=settings.backoff_max),
            parts,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<OutboxMessage>,
        message: OutboxMessage,
        state: &mut OutboxState,
    ) -> Result<(), ActorProcessingErr> {
        let now = state.parts.clock.now();
        match message {
            OutboxMessage::Start => {
                let result = match state.complete().await {
                    Ok(()) => state.sweep(now.plus(CLOCK_MARGIN)).await,
                    failed => failed,
                };
                let again = if result.is_ok() {
                    OutboxMessage::Sweep
                } else {
                    OutboxMessage::Start
                };
                me.send_after(state.next_pause(result), || again);
            }
            OutboxMessage::Finished => {
                me.send_after(state.parts.settings.collect, || OutboxMessage::Complete);
            }
            OutboxMessage::Complete => {
                let result = state.complete().await;
                if result.is_err() {
                    me.send_after(state.next_pause(result), || OutboxMessage::Complete);
                }
            }
            OutboxMessage::Sweep => {
                let result = state.sweep(now.minus(state.parts.settings.grace)).await;
                me.send_after(state.next_pause(result), || OutboxMessage::Sweep);
            }
            OutboxMessage::Close(done) => {
                if let Err(error) = state.complete().await {
                    tracing::warn!(%error, "finished entries could not be marked; the next start will repeat them");
                }
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
        }
        Ok(())
    }
}
