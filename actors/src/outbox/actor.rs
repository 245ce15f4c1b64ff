//! The outbox relay as an actor. Nobody waits for it, so it does its work in its own time.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::parts::{OutboxParts, RelayError};
use super::state::{Looks, Patience};
use crate::backoff::Backoff;

/// The relay.
pub(crate) struct OutboxRelay;

/// What it is told.
pub(crate) enum OutboxMessage {
    /// A request finished an entry; more may follow shortly.
    Finished,
    /// Mark what is finished.
    Complete,
    /// Look for what stayed behind, and again after a while.
    Sweep,
    /// Mark what is finished, then answer.
    Close(oneshot::Sender<()>),
}

pub(crate) struct OutboxState {
    parts: Arc<OutboxParts>,
    looks: Looks,
    backoff: Backoff,
}

/// What is said when a step failed.
const COMPLAINT: &str = "the outbox could not be emptied";

impl OutboxState {
    /// What is finished is marked first: whoever was told of it may have died before it did so.
    async fn sweep(&mut self) -> Result<(), RelayError> {
        self.parts.complete().await?;
        let settings = &self.parts.settings;
        let patience = Patience {
            grace: Some(settings.grace),
            remembered_max: settings.remembered_max,
        };
        self.looks = self.parts.sweep(&self.looks, patience).await?;
        Ok(())
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
            looks: Looks::default(),
            parts,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<OutboxMessage>,
        message: OutboxMessage,
        state: &mut OutboxState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            OutboxMessage::Finished => {
                me.send_after(state.parts.settings.collect, || OutboxMessage::Complete);
            }
            OutboxMessage::Complete => {
                let result = state.parts.complete().await;
                if result.is_err() {
                    let pause = state.backoff.next_pause(result, COMPLAINT);
                    me.send_after(pause, || OutboxMessage::Complete);
                }
            }
            OutboxMessage::Sweep => {
                let result = state.sweep().await;
                let pause = state.backoff.next_pause(result, COMPLAINT);
                me.send_after(pause, || OutboxMessage::Sweep);
            }
            OutboxMessage::Close(done) => {
                if let Err(error) = state.parts.complete().await {
                    tracing::warn!(%error, "finished entries could not be marked; they will be repeated");
                }
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
        }
        Ok(())
    }
}
