//! How often a child may fail before it is left alone for a while. Pure: time is a parameter.

use std::collections::VecDeque;
use std::time::Duration;

/// How often a failing actor is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// This many failures within [`RestartPolicy::within`] are mended at once; the next one is one too many.
    pub failures_max: usize,
    /// The time over which failures are counted.
    pub within: Duration,
    /// How long an actor that failed too often is left alone before it is tried again.
    pub pause: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            failures_max: 5,
            within: Duration::from_secs(10),
            pause: Duration::from_secs(10),
        }
    }
}

/// What is to be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Replace the actor at once.
    Restart,
    /// Leave it alone for this long.
    Pause(Duration),
}

/// The recent failures of one child.
#[derive(Debug, Default)]
pub(crate) struct RestartHistory {
    failures: VecDeque<Duration>,
    paused_until: Option<Duration>,
}

impl RestartHistory {
    /// The child failed at `now` (monotonic).
    pub fn on_failure(&mut self, now: Duration, policy: &RestartPolicy) -> Verdict {
        self.failures.retain(|at| now.saturating_sub(*at) < policy.within);
        self.failures.push_back(now);
        if self.failures.len() <= policy.failures_max {
            return Verdict::Restart;
        }
        self.failures.clear();
        self.paused_until = Some(now + policy.pause);
        Verdict::Pause(policy.pause)
    }

    /// Whether the child is being left alone.
    pub fn is_paused(&self, now: Duration) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    /// Whether nothing in here can matter any more.
    pub fn is_over(&self, now: Duration, policy: &RestartPolicy) -> bool {
        !self.is_paused(now) && self.failures.iter().all(|at| now.saturating_sub(*at) >= policy.within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RestartPolicy = RestartPolicy {
        failures_max: 3,
        within: Duration::from_secs(10),
        pause: Duration::from_secs(30),
    };

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_failure_too_many_within_the_time_pauses() {
        let mut history = RestartHistory::default();
        for at in [0, 1, 2] {
            assert_eq!(history.on_failure(seconds(at), &POLICY), Verdict::Restart);
        }
        assert_eq!(history.on_failure(seconds(9), &POLICY), Verdict::Pause(POLICY.pause));
        assert!(history.is_paused(seconds(38)));
        assert!(!history.is_paused(seconds(39)));
    }

    #[test]
    fn failures_that_are_far_enough_apart_are_always_mended() {
        let mut history = RestartHistory::default();
        for at in (0..100).step_by(4) {
            assert_eq!(history.on_failure(seconds(at), &POLICY), Verdict::Restart);
        }
    }

    #[test]
    fn after_a_pause_it_starts_with_a_clean_record() {
        let mut history = RestartHistory::default();
        (0..4).for_each(|at| {
            history.on_failure(seconds(at), &POLICY);
        });
        assert!(!history.is_over(seconds(20), &POLICY));
        assert!(history.is_over(seconds(33), &POLICY));
        assert_eq!(history.on_failure(seconds(33), &POLICY), Verdict::Restart);
    }
}
