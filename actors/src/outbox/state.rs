//! What the relay knows. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use domain::{OutboxEntry, OutboxId, ReplicatedChange};

/// Entries that requests have finished and that are yet to be marked as complete.
pub(crate) struct Finished {
    ids: BTreeSet<OutboxId>,
    max: usize,
    /// Whether the relay has been told that there are some.
    woken: bool,
}

impl Finished {
    /// None.
    pub fn new(max: usize) -> Self {
        Self {
            ids: BTreeSet::new(),
            max,
            woken: false,
        }
    }

    /// An entry is finished; answers whether the relay must be told. Beyond the bound it is left to the sweep.
    pub fn on_finished(&mut self, id: OutboxId) -> bool {
        if self.ids.len() >= self.max {
            return false;
        }
        self.ids.insert(id);
        !std::mem::replace(&mut self.woken, true)
    }

    /// The relay could not be told; whoever comes next must try again.
    pub fn on_wake_lost(&mut self) {
        self.woken = false;
    }

    /// The relay takes all there are.
    pub fn take(&mut self) -> Vec<OutboxId> {
        self.woken = false;
        std::mem::take(&mut self.ids).into_iter().collect()
    }

    /// The relay could not mark these; they wait for its next try.
    pub fn give_back(&mut self, ids: Vec<OutboxId>) {
        let room = self.max.saturating_sub(self.ids.len());
        self.ids.extend(ids.into_iter().take(room));
    }

    /// Whether this entry is finished.
    pub fn contains(&self, id: OutboxId) -> bool {
        self.ids.contains(&id)
    }
}

/// Since when the relay has seen entries to be pending, by its own monotonic clock: how old an entry is by the clock of the
/// node that wrote it says nothing here.
#[derive(Default)]
pub(crate) struct Looks {
    since: BTreeMap<OutboxId, Duration>,
}

/// How patient a look is.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// How long an entry must have been seen to be pending to have stayed behind. `None` if nobody lives who could be
    /// about to finish it.
    pub grace: Option<Duration>,
    /// How many entries are remembered. Those beyond are looked at when there is room.
    pub remembered_max: usize,
}

/// A look through all that is pending, page by page in the order of its ids.
pub(crate) struct Look<'a> {
    former: &'a Looks,
    latest: Looks,
    patience: Patience,
}

impl Looks {
    /// Begins the next look.
    pub fn begin(&self, patience: Patience) -> Look<'_> {
        Look {
            former: self,
            latest: Self::default(),
            patience,
        }
    }
}

impl Look<'_> {
    /// The store answered with a page; it was asked and it answered at these two moments. Answers what stayed behind, but for
    /// what `is_finished` here and is about to be marked.
    pub fn on_page(
        &mut self,
        page: Vec<OutboxEntry>,
        asked: Range<Duration>,
        is_finished: impl Fn(OutboxId) -> bool,
    ) -> Leftovers {
        let mut leftovers = Leftovers::default();
        for entry in page.into_iter().filter(|entry| !is_finished(entry.id)) {
            let since = self.former.since.get(&entry.id).copied();
            let is_left = self.patience.grace.is_none_or(|grace| {
                // From when the store had answered the first time to when it was asked now: what lies between was longer.
                since.is_some_and(|since| asked.start.saturating_sub(since) >= grace)
            });
            if is_left {
                leftovers.add(entry);
            } else if !self.is_full() {
                self.latest.since.insert(entry.id, since.unwrap_or(asked.end));
            }
        }
        leftovers
    }

    /// Whether no more can be remembered, so that further pages are of no use.
    pub fn is_full(&self) -> bool {
        self.latest.since.len() >= self.patience.remembered_max
    }

    /// What is remembered from now on; whatever this look did not come across is forgotten.
    pub fn end(self) -> Looks {
        self.latest
    }
}

/// What has to be done for entries that stayed behind.
#[derive(Default)]
pub(crate) struct Leftovers {
    /// To be applied, in the order in which they occurred.
    pub changes: Vec<ReplicatedChange>,
    /// To be marked as complete afterwards.
    pub ids: Vec<OutboxId>,
}

impl Leftovers {
    fn add(&mut self, entry: OutboxEntry) {
        self.changes.extend(entry.message.replicate);
        self.ids.push(entry.id);
    }
}

#[cfg(test)]
mod tests;
