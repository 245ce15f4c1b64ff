//! What the relay does, each call under a deadline: it marks what is finished, and finishes what stayed behind.

use std::sync::{Arc, Mutex};

use domain::OutboxId;
use domain::ports::{Clock, Outbox, Replication, ReplicationError, StoreError};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::state::{Finished, Leftovers, Looks, Patience};
use crate::lock::lock;
use crate::settings::OutboxSettings;

/// What the handles and every incarnation of the relay share.
pub(crate) struct OutboxParts {
    pub finished: Mutex<Finished>,
    pub outbox: Arc<dyn Outbox>,
    pub replication: Arc<dyn Replication>,
    pub clock: Arc<dyn Clock>,
    pub settings: OutboxSettings,
}

/// Why a step of the relay failed. It will be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Replication(#[from] ReplicationError),
    #[error("no answer came in time")]
    Late(#[from] Elapsed),
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

    /// Marks what requests have finished.
    pub async fn complete(&self) -> Result<(), RelayError> {
        let ids = lock(&self.finished).take();
        let result = self.mark(&ids).await;
        if result.is_err() {
            lock(&self.finished).give_back(ids);
        }
        result
    }

    /// Marks these.
    pub async fn mark(&self, ids: &[OutboxId]) -> Result<(), RelayError> {
        if ids.is_empty() {
            return Ok(());
        }
        Ok(timeout(self.settings.deadline, self.outbox.complete(ids)).await??)
    }

    /// Looks through all that is pending and finishes what stayed behind since `former` looks; answers what is to be
    /// remembered for the next one.
    pub async fn sweep(&self, former: &Looks, patience: Patience) -> Result<Looks, RelayError> {
        let (settings, mut look, mut after) = (&self.settings, former.begin(patience), None);
        loop {
            let asked = self.clock.monotonic();
            let page = timeout(settings.deadline, self.outbox.pending(after, settings.page)).await??;
            let answered = self.clock.monotonic();
            after = page.last().map(|entry| entry.id);
            let is_last_page = page.len() < usize::try_from(settings.page).unwrap_or(usize::MAX);
            let leftovers = {
                let finished = lock(&self.finished);
                look.on_page(page, asked..answered, |id| finished.contains(id))
            };
            self.finish(leftovers).await?;
            if is_last_page || look.is_full() {
                return Ok(look.end());
            }
        }
    }

    async fn finish(&self, leftovers: Leftovers) -> Result<(), RelayError> {
        if !leftovers.changes.is_empty() {
            tracing::info!(count = leftovers.ids.len(), "finishing changes that stayed behind");
            timeout(self.settings.deadline, self.replication.apply(leftovers.changes)).await??;
        }
        self.mark(&leftovers.ids).await
    }
}
