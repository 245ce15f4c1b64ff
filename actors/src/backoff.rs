//! When to do something again that is done over and over. Pure, but for what it writes to the log.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// One pause after each success; after each failure one that is twice as long as the last, up to a bound.
pub(crate) struct Backoff {
    pauses: RangeInclusive<Duration>,
    failures: u32,
}

impl Backoff {
    /// Pauses between these two: the usual one, and the longest.
    pub fn new(pauses: RangeInclusive<Duration>) -> Self {
        Self { pauses, failures: 0 }
    }

    /// How long to wait after this result. A failure is told with the complaint, since nobody else hears of it.
    pub fn next_pause<E: Display>(&mut self, result: Result<(), E>, complaint: &str) -> Duration {
        let usual = *self.pauses.start();
        let Err(error) = result else {
            self.failures = 0;
            return usual;
        };
        let pause = usual.saturating_mul(1 << self.failures.min(16)).min(*self.pauses.end());
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(%error, ?pause, "{complaint}");
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_bound_and_starts_again_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1)..=Duration::from_secs(30));
        let mut pause_after = |result: Result<(), &str>| backoff.next_pause(result, "it failed").as_secs();
        let pauses: Vec<u64> = (0..40).map(|_| pause_after(Err("away"))).collect();
        assert_eq!((&pauses[..6], pauses[39]), ([1, 2, 4, 8, 16, 30].as_slice(), 30));
        assert_eq!((pause_after(Ok(())), pause_after(Err("away"))), (1, 1));
    }
}
