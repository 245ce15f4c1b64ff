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

/// Whom a record that came concerns beside its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Nobody: the writer is at work and will look again.
    Nobody,
    /// The writer, which sleeps.
    Sleeper,
    /// The writer, which waited for just this record.
    Gatherer,
}

/// The records that wait.
pub(crate) struct AuditState<W> {
    waiting: VecDeque<Entry<W>>,
    waiting_max: usize,
    /// Whether the writer has been told that something waits, and has not yet found nothing.
    woken: bool,
    /// How many records the last batch had. Its callers have their answers and tend to come again.
    company: usize,
    /// Whether the writer waits until there are as many again.
    gathering: bool,
    closed: bool,
}

impl<W> AuditState<W> {
    /// Nothing waits.
    pub fn new(waiting_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_max,
            woken: false,
            company: 0,
            gathering: false,
            closed: false,
        }
    }

    /// A record comes; answers who must be told.
    pub fn on_record(&mut self, entry: Entry<W>) -> Result<Wake, Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        if self.waiting.len() >= self.waiting_max {
            return Err(Refusal::Full);
        }
        self.waiting.push_back(entry);
        if self.gathering && self.waiting.len() >= self.company {
            self.gathering = false;
            return Ok(Wake::Gatherer);
        }
        Ok(match std::mem::replace(&mut self.woken, true) {
            true => Wake::Nobody,
            false => Wake::Sleeper,
        })
    }

    /// The writer could not be woken; whoever comes next must try again.
    pub fn on_wake_lost(&mut self) {
        self.woken = false;
    }

    /// The writer is free: whether it does well to wait a moment for company. A transaction costs about as much for many
    /// records as for one, so a batch is held back until it is as large as the last one; a lone caller never waits.
    pub fn on_gather(&mut self) -> bool {
        self.gathering = !self.waiting.is_empty() && self.waiting.len() < self.company;
        self.gathering
    }

    /// The writer waits no longer: the next batch, in the order in which the records came. If there is none, the writer sleeps.
    pub fn on_free(&mut self, batch_max: usize) -> Vec<Entry<W>> {
        let count = self.waiting.len().min(batch_max);
        self.woken = count > 0;
        self.gathering = false;
        if count > 0 {
            self.company = count;
        }
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
        assert_eq!(state.on_record(entry(1)), Ok(Wake::Sleeper));
        assert_eq!(state.on_record(entry(2)), Ok(Wake::Nobody));
        assert_eq!(waiters(&state.on_free(512)), [1, 2]);
        assert_eq!(
            state.on_record(entry(3)),
            Ok(Wake::Nobody),
            "the writer is busy and will look again"
        );
        assert_eq!(waiters(&state.on_free(512)), [3]);
        assert!(state.on_free(512).is_empty());
        assert_eq!(state.on_record(entry(4)), Ok(Wake::Sleeper));
    }

    #[test]
    fn a_batch_waits_until_it_is_as_large_as_the_last() {
        let mut state = AuditState::new(10);
        assert!(!state.on_gather(), "nothing waits");
        state.on_record(entry(1)).expect("room");
        assert!(!state.on_gather(), "nobody has come before");
        assert_eq!(waiters(&state.on_free(512)), [1]);
        state.on_record(entry(2)).expect("room");
        assert!(!state.on_gather(), "a lone caller never waits");
        state.on_record(entry(3)).expect("room");
        assert_eq!(waiters(&state.on_free(512)), [2, 3]);
        state.on_record(entry(4)).expect("room");
        assert!(state.on_gather());
        assert_eq!(state.on_record(entry(5)), Ok(Wake::Gatherer));
        assert_eq!(state.on_record(entry(6)), Ok(Wake::Nobody), "the writer has been told");
        assert_eq!(waiters(&state.on_free(512)), [4, 5, 6]);
    }

    #[test]
    fn company_that_stays_away_is_expected_no_longer() {
        let mut state = AuditState::new(10);
        (1..=3).for_each(|number| {
            state.on_record(entry(number)).expect("room");
        });
        assert_eq!(state.on_free(512).len(), 3);
        assert!(state.on_free(512).is_empty(), "the writer sleeps");
        assert_eq!(state.on_record(entry(4)), Ok(Wake::Sleeper));
        assert!(state.on_gather(), "two more may come");
        assert_eq!(waiters(&state.on_free(512)), [4]);
        state.on_record(entry(5)).expect("room");
        assert!(!state.on_gather());
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
        assert_eq!(state.on_record(entry(3)), Ok(Wake::Nobody));
    }

    #[test]
    fn a_wake_that_was_lost_is_repeated_by_the_next_record() {
        let mut state = AuditState::new(10);
        assert_eq!(state.on_record(entry(1)), Ok(Wake::Sleeper));
        state.on_wake_lost();
        assert_eq!(state.on_record(entry(2)), Ok(Wake::Sleeper));
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
