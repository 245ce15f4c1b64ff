//! What waits for the audit writer. Pure: it decides who wakes the writer and what the next batch is.

use std::collections::VecDeque;
use std::time::Duration;

use domain::AuditRecord;

/// A record and whoever waits for it.
pub(crate) struct Entry<W> {
    /// The record.
    pub record: AuditRecord,
    /// Whoever waits for it to be durable.
    pub waiter: W,
    /// Since when, on the monotonic clock.
    pub since: Duration,
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// As many records wait as are allowed.
    Full,
    /// The node is shutting down.
    Closed,
}

/// The records that wait.
pub(crate) struct AuditState<W> {
    waiting: VecDeque<Entry<W>>,
    waiting_max: usize,
    /// Whether the writer has been told that something waits, and has not yet found nothing.
    woken: bool,
    closed: bool,
}

impl<W> AuditState<W> {
    /// Nothing waits.
    pub fn new(waiting_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_max,
            woken: false,
            closed: false,
        }
    }

    /// A record comes; answers whether the writer must be woken.
    pub fn on_record(&mut self, entry: Entry<W>) -> Result<bool, Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        if self.waiting.len() >= self.waiting_max {
            return Err(Refusal::Full);
        }
        self.waiting.push_back(entry);
        Ok(!std::mem::replace(&mut self.woken, true))
    }

    /// The writer could not be woken; whoever comes next must try again.
    pub fn on_wake_lost(&mut self) {
        self.woken = false;
    }

    /// The writer is free: the next batch, in the order in which the records came. If there is none, the writer sleeps.
    pub fn on_free(&mut self, batch_max: usize) -> Vec<Entry<W>> {
        let count = self.waiting.len().min(batch_max);
        self.woken = count > 0;
        self.waiting.drain(..count).collect()
    }

    /// No record is taken from now on.
    pub fn on_close(&mut self) {
        self.closed = true;
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::tests::record;
    use super::*;

    fn entry(number: u128) -> Entry<u128> {
        Entry {
            record: record(number),
            waiter: number,
            since: Duration::ZERO,
        }
    }

    fn waiters(batch: &[Entry<u128>]) -> Vec<u128> {
        batch.iter().map(|entry| entry.waiter).collect()
    }

    #[test]
    fn only_the_first_record_wakes_the_writer_until_it_has_found_nothing() {
        let mut state = AuditState::new(10);
        assert_eq!(state.on_record(entry(1)), Ok(true));
        assert_eq!(state.on_record(entry(2)), Ok(false));
        assert_eq!(waiters(&state.on_free(512)), [1, 2]);
        assert_eq!(
            state.on_record(entry(3)),
            Ok(false),
            "the writer is busy and will look again"
        );
        assert_eq!(waiters(&state.on_free(512)), [3]);
        assert!(state.on_free(512).is_empty());
        assert_eq!(state.on_record(entry(4)), Ok(true));
    }

    #[test]
    fn a_batch_is_no_larger_than_allowed_and_keeps_the_order() {
        let mut state = AuditState::new(10);
        (1..=5).for_each(|number| {
            state.on_record(entry(number)).expect("there is room");
        });
        assert_eq!(waiters(&state.on_free(2)), [1, 2]);
        assert_eq!(waiters(&state.on_free(2)), [3, 4]);
        assert_eq!(waiters(&state.on_free(2)), [5]);
    }

    #[test]
    fn at_the_bound_a_record_is_refused_and_nothing_that_waits_is_lost() {
        let mut state = AuditState::new(2);
        assert!(state.on_record(entry(1)).is_ok() && state.on_record(entry(2)).is_ok());
        assert_eq!(state.on_record(entry(3)), Err(Refusal::Full));
        assert_eq!(waiters(&state.on_free(512)), [1, 2]);
        assert_eq!(state.on_record(entry(3)), Ok(false));
    }

    #[test]
    fn a_wake_that_was_lost_is_repeated_by_the_next_record() {
        let mut state = AuditState::new(10);
        assert_eq!(state.on_record(entry(1)), Ok(true));
        state.on_wake_lost();
        assert_eq!(state.on_record(entry(2)), Ok(true));
        assert_eq!(waiters(&state.on_free(512)), [1, 2]);
    }

    #[test]
    fn once_closed_nothing_is_taken_but_what_waits_is_still_written() {
        let mut state = AuditState::new(10);
        state.on_record(entry(1)).expect("open");
        state.on_close();
        assert_eq!(state.on_record(entry(2)), Err(Refusal::Closed));
        assert_eq!((state.len(), waiters(&state.on_free(512))), (1, vec![1]));
    }
}
