//! How requests tell the relay that they have finished an entry.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::OutboxId;
use domain::ports::{Clock, Outbox, Replication};
use tokio::sync::oneshot;

use super::actor::OutboxMessage;
use super::state::Finished;
use crate::lock::lock;
use crate::settings::OutboxSettings;
use crate::supervision::{Slot, answer};

/// What the handles and every incarnation of the relay share.
pub(crate) struct OutboxParts {
    pub finished: Mutex<Finished>,
    pub outbox: Arc<dyn Outbox>,
    pub replication: Arc<dyn Replication>,
    pub clock: Arc<dyn Clock>,
    pub settings: OutboxSettings,
}

impl OutboxParts {
    pub fn new(
        outbox: Arc<dyn Outbox>,
        replication: Arc<dyn Replication>,
        clock: Arc<dyn Clock>,
        settings: OutboxSettings,
    ) -> Self {
        Self {
            finished: Mutex::new(Finished::new(settings.finished_max)),
            outbox,
            replication,
            clock,
            settings,
        }
    }
}

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

    /// Marks what is finished before the node stops.
    pub(crate) async fn close(&self, deadline: Duration) {
        let (done, closed) = oneshot::channel();
        if self.relay.send(OutboxMessage::Close(done)).is_err() || answer(deadline, closed).await.is_err() {
            tracing::warn!("the outbox relay did not finish in time; the next start will repeat what it left");
        }
    }
}
