//! How far a batch has come on a member.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::BatchId;
use crate::publish::Published;
use crate::state::Seen;

/// How far somebody wants a batch to have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    /// What it revokes is refused: it is in the log, durable.
    Held,
    /// It is part of the state.
    Applied,
}

/// How far a batch has come on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// It is in the log, durable, and what it revokes is refused.
    Held {
        /// Its place in the log.
        index: u64,
        /// Whether the member counts towards the majority that commits it.
        counts: bool,
    },
    /// It is part of the state.
    Applied,
}

/// Looks at batches on this member.
#[derive(Clone)]
pub(crate) struct BatchWatch {
    published: Arc<Published>,
}

impl BatchWatch {
    pub(crate) fn new(published: Arc<Published>) -> Self {
        Self { published }
    }

    /// Waits until a batch has come as far as is wanted.
    pub(crate) async fn reached(&self, batch: BatchId, wanted: Wanted) -> Progress {
        let mut moved = self.published.held().moved();
        loop {
            moved.mark_unchanged();
            if let Some(progress) = self.now(batch, wanted) {
                return progress;
            }
            // What tells of moves lives as long as this waits.
            let _ = moved.changed().await;
        }
    }

    /// The log is asked before the state is: entries move from there to here.
    fn now(&self, batch: BatchId, wanted: Wanted) -> Option<Progress> {
        let holding = (wanted == Wanted::Held)
            .then(|| self.published.held().find(batch))
            .flatten();
        if let Some(holding) = holding {
            return Some(Progress::Held {
                index: holding.index,
                counts: holding.counts,
            });
        }
        (self.published.load().seen(batch) != Seen::Never).then_some(Progress::Applied)
    }
}
