//! How records are handed to the audit writer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::AuditRecord;
use domain::ports::{AuditTrail, Clock};
use tokio::sync::{Notify, oneshot};

use super::actor::AuditMessage;
use super::state::{AuditState, Entry, Refusal, Wake};
use crate::error::AuditError;
use crate::lock::lock;
use crate::meters::ActorMeters;
use crate::settings::AuditSettings;
use crate::supervision::{NoAnswer, Slot, answer};

/// Whoever waits for a record, if anybody does.
pub(crate) type Waiter = Option<oneshot::Sender<Result<(), AuditError>>>;

/// What the handles and every incarnation of the writer share.
pub(crate) struct AuditParts {
    pub state: Mutex<AuditState<Waiter>>,
    pub trail: Arc<dyn AuditTrail>,
    pub clock: Arc<dyn Clock>,
    pub meters: Arc<ActorMeters>,
    pub settings: AuditSettings,
    /// Tells the writer that the company is complete that it waited for.
    pub gathered: Notify,
    /// One transaction at a time, also when a new writer starts while the last transaction of a former one is under way.
    pub lane: tokio::sync::Mutex<()>,
}

/// Takes audit records and says when they are durable.
#[derive(Clone)]
pub struct AuditHandle {
    parts: Arc<AuditParts>,
    writer: Arc<Slot<AuditMessage>>,
}

impl AuditHandle {
    pub(crate) fn new(parts: Arc<AuditParts>, writer: Arc<Slot<AuditMessage>>) -> Self {
        Self { parts, writer }
    }

    /// Appends a record to its organization's chain. Returns when it is durable; whatever it speaks of must not be
    /// answered before. Once called, the record may be in the log even if the caller stops waiting.
    pub async fn record(&self, record: AuditRecord) -> Result<(), AuditError> {
        let (waiter, reply) = oneshot::channel();
        self.put(record, Some(waiter), true)?;
        answer(self.parts.settings.deadline, reply).await?
    }

    /// As [`AuditHandle::record`], for records of what changes nothing: they are durable a moment later, and nobody waits
    /// for that. If a record is not taken, the caller must refuse, or count what it could not tell.
    pub fn submit(&self, record: AuditRecord) -> Result<(), AuditError> {
        Ok(self.put(record, None, true)?)
    }

    /// As [`AuditHandle::submit`], for records that come often and tell of little: they may be gathered for some 50 ms, so
    /// that many share a transaction.
    pub fn submit_unhurried(&self, record: AuditRecord) -> Result<(), AuditError> {
        Ok(self.put(record, None, false)?)
    }

    /// Takes no more records and waits until all that were taken are durable or refused.
    pub(crate) async fn close(&self, deadline: Duration) {
        lock(&self.parts.state).on_close();
        let (done, flushed) = oneshot::channel();
        let asked = self.writer.send(AuditMessage::Flush(done)).is_ok();
        if !asked || answer(deadline, flushed).await.is_err() {
            let count = lock(&self.parts.state).len();
            tracing::error!(count, "audit records could not be written before the node stopped");
        }
    }

    fn put(&self, record: AuditRecord, waiter: Waiter, is_pressing: bool) -> Result<(), NoAnswer> {
        if !self.writer.is_occupied() {
            return Err(NoAnswer::Down);
        }
        let since = self.parts.clock.monotonic();
        let entry = Entry {
            record,
            waiter,
            is_pressing,
            since,
        };
        let wake = lock(&self.parts.state)
            .on_record(entry)
            .map_err(|refusal| match refusal {
                Refusal::Full => NoAnswer::Overloaded,
                Refusal::Closed => NoAnswer::Down,
            })?;
        match wake {
            Wake::Nobody => {}
            Wake::Gatherer => self.parts.gathered.notify_one(),
            // A writer that died a moment ago is followed by another, which looks for what waits as soon as it can be found.
            Wake::Sleeper => {
                if self.writer.send(AuditMessage::Wake).is_err() {
                    lock(&self.parts.state).on_wake_lost();
                }
            }
        }
        Ok(())
    }
}
