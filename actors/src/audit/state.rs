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
    /// Whether it is to be durable soon, because somebody waits or because of what it says.
    pub is_pressing: bool,
    /// Since when, on the monotonic clock.
    pub since: Duration,
}

/// What the writer does well to wait for before it takes the next batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gather {
    /// As many pressing records as the last batch had. A transaction costs about as much for many records as for one.
    Company,
    /// The first pressing record: so far nothing presses.
    Pressing,
}

/// So many records that do not press are a batch that is worth its transaction.
const UNHURRIED_BATCH: usize = 256;

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
    /// How many of those that wait press.
    pressing: usize,
    /// Whether the writer has been told that something waits, and has not yet found nothing.
    woken: bool,
    /// How many pressing records the last batch had. Their callers have their answers and tend to come again.
    company: usize,
    /// What the writer waits for, if it does.
    gathering: Option<Gather>,
    closed: bool,
}

impl<W> AuditState<W> {
    /// Nothing waits.
    pub fn new(waiting_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_max,
            pressing: 0,
            woken: false,
            company: 0,
            gathering: None,
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
        self.pressing += usize::from(entry.is_pressing);
        self.waiting.push_back(entry);
        if self.gathering.is_some() && self.gathering != self.missing() {
            self.gathering = None;
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

    /// The writer is free: what it does well to wait for, a moment at most. A lone caller never waits.
    pub fn on_gather(&mut self) -> Option<Gather> {
        self.gathering = self.missing();
        self.gathering
    }

    fn missing(&self) -> Option<Gather> {
        let is_worth_it = self.waiting.is_empty() || self.waiting.len() >= UNHURRIED_BATCH;
        match self.pressing {
            0 if is_worth_it => None,
            0 => Some(Gather::Pressing),
            count => (count < self.company).then_some(Gather::Company),
        }
    }

    /// The writer waits no longer: the next batch, in the order in which the records came. If there is none, the writer sleeps.
    pub fn on_free(&mut self, batch_max: usize) -> Vec<Entry<W>> {
        let count = self.waiting.len().min(batch_max);
        self.woken = count > 0;
        self.gathering = None;
        let batch: Vec<_> = self.waiting.drain(..count).collect();
        let pressing = batch.iter().filter(|entry| entry.is_pressing).count();
        self.pressing -= pressing;
        if pressing > 0 {
            self.company = pressing;
        }
        batch
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
            is_pressing: true,
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
        assert_eq!(state.on_gather(), None, "nothing waits");
        state.on_record(entry(1)).expect("room");
        assert_eq!(state.on_gather(), None, "nobody has come before");
        assert_eq!(waiters(&state.on_free(512)), [1]);
        state.on_record(entry(2)).expect("room");
        assert_eq!(state.on_gather(), None, "a lone caller never waits");
        state.on_record(entry(3)).expect("room");
        assert_eq!(waiters(&state.on_free(512)), [2, 3]);
        state.on_record(entry(4)).expect("room");
        assert_eq!(state.on_gather(), Some(Gather::Company));
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
        assert_eq!(state.on_gather(), Some(Gather::Company), "two more may come");
        assert_eq!(waiters(&state.on_free(512)), [4]);
        state.on_record(entry(5)).expect("room");
        assert_eq!(state.on_gather(), None);
    }

    #[test]
    fn what_does_not_press_is_held_back_until_something_does_or_it_is_worth_a_transaction() {
        let unhurried = |number| Entry {
            is_pressing: false,
            ..entry(number)
        };
        let mut state = AuditState::new(1000);
        state.on_record(unhurried(1)).expect("room");
        assert_eq!(state.on_gather(), Some(Gather::Pressing));
        assert_eq!(state.on_record(unhurried(2)), Ok(Wake::Nobody));
        assert_eq!(state.on_record(entry(3)), Ok(Wake::Gatherer));
        assert_eq!(state.on_gather(), None, "a lone caller never waits");
        assert_eq!(waiters(&state.on_free(512)), [1, 2, 3]);
        assert!(state.on_free(512).is_empty(), "the writer sleeps");
        state.on_record(unhurried(0)).expect("room");
        assert_eq!(state.on_gather(), Some(Gather::Pressing));
        for number in 2..UNHURRIED_BATCH as u128 {
            assert_eq!(state.on_record(unhurried(number)), Ok(Wake::Nobody));
        }
        assert_eq!(state.on_record(unhurried(0)), Ok(Wake::Gatherer));
        assert_eq!(state.on_gather(), None);
        assert_eq!(state.on_free(512).len(), UNHURRIED_BATCH);
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
