//! How failed authentications get into the audit log: the first few of a client in a minute one by one, the rest summed up,
//! so that nobody can fill the log by guessing. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::AgentId;

/// Over how long failures are counted.
const PERIOD: Duration = Duration::from_secs(60);
/// The most clients that are counted apart. Beyond, all others are counted as one.
const CLIENTS_MAX: usize = 10_000;

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Record it.
    Now,
    /// It is counted and recorded with others later.
    Later,
}

/// Failures that were not recorded one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// Whose; `None` if of clients that were not counted apart.
    pub client: Option<AgentId>,
    /// How many.
    pub count: u64,
    /// How long ago the first failure of the period was.
    pub since: Duration,
}

#[derive(Clone, Copy)]
struct Count {
    began: Duration,
    recorded: u32,
    suppressed: u64,
}

/// The failures of the last minute.
#[derive(Default)]
pub(super) struct FailureLog {
    counts: BTreeMap<Option<AgentId>, Count>,
}

impl FailureLog {
    /// A client failed at `now` (monotonic).
    pub fn on_failure(&mut self, now: Duration, client: AgentId, recorded_max: u32) -> Told {
        let is_counted_apart = self.counts.len() < CLIENTS_MAX || self.counts.contains_key(&Some(client));
        let count = self.counts.entry(is_counted_apart.then_some(client)).or_insert(Count {
            began: now,
            recorded: 0,
            suppressed: 0,
        });
        if count.recorded < recorded_max {
            count.recorded += 1;
            Told::Now
        } else {
            count.suppressed += 1;
            Told::Later
        }
    }

    /// A failure that was to be recorded could not be.
    pub fn on_lost(&mut self, now: Duration, client: AgentId) {
        let count = self.counts.entry(Some(client)).or_insert(Count {
            began: now,
            recorded: 0,
            suppressed: 0,
        });
        count.suppressed += 1;
    }

    /// Some time has passed: what is to be summed up. Whoever fails again starts a new period.
    pub fn on_tick(&mut self, now: Duration) -> Vec<Summary> {
        self.take(now, |count| now.saturating_sub(count.began) >= PERIOD)
    }

    /// The end: everything that is to be summed up.
    pub fn on_stop(&mut self, now: Duration) -> Vec<Summary> {
        self.take(now, |_| true)
    }

    /// A summary could not be recorded; it is tried again with the next period.
    pub fn give_back(&mut self, now: Duration, summary: &Summary) {
        let count = self.counts.entry(summary.client).or_insert(Count {
            began: now,
            recorded: 0,
            suppressed: 0,
        });
        count.suppressed = count.suppressed.saturating_add(summary.count);
    }

    fn take(&mut self, now: Duration, is_over: impl Fn(&Count) -> bool) -> Vec<Summary> {
        let mut summaries = Vec::new();
        self.counts.retain(|client, count| {
            let over = is_over(count);
            if over && count.suppressed > 0 {
                summaries.push(Summary {
                    client: *client,
                    count: count.suppressed,
                    since: now.saturating_sub(count.began),
                });
            }
            !over
        });
        summaries
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn client(number: usize) -> AgentId {
        AgentId(Uuid::from_u128(number as u128))
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_first_few_are_recorded_and_the_rest_is_summed_up_once() {
        let mut log = FailureLog::default();
        let told: Vec<Told> = (0..5).map(|second| log.on_failure(at(second), client(1), 3)).collect();
        assert_eq!(told, [Told::Now, Told::Now, Told::Now, Told::Later, Told::Later]);
        assert_eq!(log.on_tick(at(59)), []);
        let summary = Summary {
            client: Some(client(1)),
            count: 2,
            since: at(61),
        };
        assert_eq!(log.on_tick(at(61)), [summary]);
        assert_eq!(log.on_tick(at(200)), []);
        assert_eq!(log.on_failure(at(201), client(1), 3), Told::Now);
    }

    #[test]
    fn clients_are_counted_apart_up_to_a_bound_and_then_together() {
        let mut log = FailureLog::default();
        for number in 0..CLIENTS_MAX {
            assert_eq!(log.on_failure(at(0), client(number), 1), Told::Now);
        }
        assert_eq!(log.on_failure(at(0), client(CLIENTS_MAX), 1), Told::Now);
        assert_eq!(log.on_failure(at(0), client(CLIENTS_MAX + 1), 1), Told::Later);
        assert_eq!(log.counts.len(), CLIENTS_MAX + 1);
        let summaries = log.on_stop(at(1));
        assert_eq!((summaries.len(), summaries[0].client, summaries[0].count), (1, None, 1));
    }

    #[test]
    fn what_could_not_be_recorded_is_part_of_the_next_summary() {
        let mut log = FailureLog::default();
        log.on_failure(at(0), client(1), 3);
        log.on_lost(at(0), client(1));
        let summaries = log.on_tick(at(60));
        assert_eq!(summaries[0].count, 1);
        log.give_back(at(60), &summaries[0]);
        assert_eq!(log.on_tick(at(120))[0].count, 1);
    }
}
