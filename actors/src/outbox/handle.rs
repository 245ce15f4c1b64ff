//! How requests tell the relay that they have finished an entry.

use std::sync::Arc;
use std::time::Duration;

use domain::OutboxId;
use tokio::sync::oneshot;

use super::actor::OutboxMessage;
use super::parts::OutboxParts;
use super::state::{Looks, Patience};
use crate::lock::lock;
use crate::supervision::{Slot, answer};

/// Tells the relay what is finished.
#[derive(Clone)]
pub struct OutboxHandle {
    parts: Arc<OutboxParts>,
    relay: Arc<Slot<OutboxMessage>>,
}

impl OutboxHandle {
    pub(crate) fn new(parts: Arc<OutboxParts>, relay: Arc<Slot<OutboxMessage>>) -> Self {
        Self { parts, relay }
    }

    /// Everything that this entry announced is known everywhere. Never waits; if this is lost, the entry is done once
    /// more, which changes nothing.
    pub fn finished(&self, id: OutboxId) {
        let wake = lock(&self.parts.finished).on_finished(id);
        // A relay that died a moment ago is followed by another, which looks for what is finished as soon as it starts.
        if wake && self.relay.send(OutboxMessage::Finished).is_err() {
            lock(&self.parts.finished).on_wake_lost();
        }
    }

    /// The same for an entry that kills tokens. Done once more it would kill those, too, that are issued from now on, so
    /// this returns when it has been marked, and before that nobody must be told that it is done.
    pub async fn finished_killing(&self, id: OutboxId) {
        if let Err(error) = self.parts.mark(&[id]).await {
            tracing::warn!(%error, "an order to kill tokens is in force but could not be marked; it may be repeated");
            self.finished(id);
        }
    }

    /// Finishes what an earlier start left behind, if this node is alone: then nobody else can be about to do so. To be
    /// called before anybody is served; what fails here is left to the relay, which is more patient.
    pub(crate) async fn finish_at_start(&self) {
        if !self.parts.replication.is_alone() {
            return;
        }
        let patience = Patience {
            grace: None,
            remembered_max: self.parts.settings.remembered_max,
        };
        if let Err(error) = self.parts.sweep(&Looks::default(), patience).await {
            tracing::warn!(%error, "what an earlier start left behind could not be finished; the relay tries again");
        }
    }

    /// Marks what is finished before the node stops.
    pub(crate) async fn close(&self, deadline: Duration) {
        let (done, closed) = oneshot::channel();
        if self.relay.send(OutboxMessage::Close(done)).is_err() || answer(deadline, closed).await.is_err() {
            tracing::warn!("the outbox relay did not finish in time; what it left will be repeated");
        }
    }
}
