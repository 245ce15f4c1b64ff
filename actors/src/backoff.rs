//! How long to wait after a failure. Pure.

use std::time::Duration;

/// Twice as long each time, up to a bound.
#[derive(Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It worked.
    pub fn on_success(&mut self) {
        self.failures = 0;
    }

    /// It failed; answers how long to wait.
    pub fn on_failure(&mut self, first: Duration, max: Duration) -> Duration {
        let pause = first.saturating_mul(1 << self.failures.min(16)).min(max);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_bound_and_starts_again_after_a_success() {
        let (mut backoff, first, max) = (Backoff::default(), Duration::from_secs(1), Duration::from_secs(30));
        let pauses: Vec<u64> = (0..40).map(|_| backoff.on_failure(first, max).as_secs()).collect();
        assert_eq!((&pauses[..6], pauses[39]), ([1, 2, 4, 8, 16, 30].as_slice(), 30));
        backoff.on_success();
        assert_eq!(backoff.on_failure(first, max), first);
    }
}
