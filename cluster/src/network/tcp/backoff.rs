//! How long to wait before the next attempt to connect.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Entropy;

/// Waits that double, each of them shortened by up to half at random, so that nodes don't come in step.
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
    entropy: Arc<dyn Entropy>,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            min,
            max,
            failures: 0,
            entropy,
        }
    }

    /// How long to wait after another failure.
    pub(super) fn next(&mut self) -> Duration {
        let doubled = self.min.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let longest = doubled.min(self.max);
        let mut random = [0; 2];
        self.entropy.fill(&mut random);
        longest - (longest / 2).mul_f64(f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX))
    }

    /// How long to wait after a connection ended: not at all after a good one. One that ended soon is a failure like
    /// another, but the first.
    pub(super) fn after_connection(&mut self, was_good: bool) -> Option<Duration> {
        if was_good {
            self.failures = 0;
        }
        if self.failures == 0 {
            self.failures = u32::from(!was_good);
            return None;
        }
        Some(self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);
    impl Entropy for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn first(count: usize, random: u8) -> Vec<u128> {
        let mut backoff = Backoff::new(
            Duration::from_millis(100),
            Duration::from_secs(1),
            Arc::new(Always(random)),
        );
        (0..count).map(|_| backoff.next().as_millis()).collect()
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_shortened_at_random() {
        assert_eq!(first(6, 0), [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(first(6, 255), [50, 100, 200, 400, 500, 500]);
        assert_eq!(first(100, 0)[99], 1_000);
    }

    #[test]
    fn a_good_connection_begins_anew_and_one_that_ends_soon_does_not() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::MAX, Arc::new(Always(0)));
        backoff.next();
        assert_eq!(backoff.after_connection(false), Some(Duration::from_millis(200)));
        assert_eq!(backoff.after_connection(true), None);
        assert_eq!(backoff.next(), Duration::from_millis(100));
        assert_eq!(backoff.after_connection(true), None);
        assert_eq!(backoff.after_connection(false), None, "once");
        assert_eq!(backoff.after_connection(false), Some(Duration::from_millis(200)));
    }
}
