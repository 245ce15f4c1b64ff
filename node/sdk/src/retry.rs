//! When a call is tried again, and how long it waits. Pure: the loop is in `client.rs`.

use std::time::Duration;

/// How often a call is tried, and how long it waits in between.
///
/// Only calls that may be acted upon twice are repeated, when the server says that it is busy (429, 502, 503, 504) or no
/// answer comes; any call is, when there was no connection at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most tries of one call, the first included.
    pub attempts: u32,
    /// The wait after the first try; it doubles from one to the next. Between half of it and all of it is waited.
    pub backoff: Duration,
    /// The longest wait that doubling leads to.
    pub backoff_max: Duration,
    /// The longest `Retry-After` that is waited for; if the server asks for more, the caller is told instead.
    pub retry_after_max: Duration,
}

impl RetryPolicy {
    /// Every call is tried once.
    pub const NEVER: RetryPolicy = RetryPolicy {
        attempts: 1,
        backoff: Duration::ZERO,
        backoff_max: Duration::ZERO,
        retry_after_max: Duration::ZERO,
    };

    /// How long to wait after `tries` tries, or `None` to give up. `random` is any number: it spreads clients that failed
    /// together, so that they do not come back together.
    pub(crate) fn wait_after(&self, tries: u32, retry_after: Option<Duration>, random: u64) -> Option<Duration> {
        if tries >= self.attempts {
            return None;
        }
        let doubled = self
            .backoff
            .saturating_mul(2u32.saturating_pow(tries.saturating_sub(1)));
        let backoff = doubled.min(self.backoff_max);
        match retry_after {
            Some(asked) if asked > self.retry_after_max => None,
            Some(asked) => Some(asked.saturating_add(part_of(self.backoff, random))),
            None => Some(backoff / 2 + part_of(backoff / 2, random)),
        }
    }
}

impl Default for RetryPolicy {
    /// Four tries, 100 ms doubling up to 2 s, and a `Retry-After` of at most 10 s.
    fn default() -> Self {
        Self {
            attempts: 4,
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(2),
            retry_after_max: Duration::from_secs(10),
        }
    }
}

/// Between nothing and all of `whole`.
fn part_of(whole: Duration, random: u64) -> Duration {
    whole.saturating_mul((random % 1024) as u32) / 1023
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 6,
        backoff: Duration::from_millis(100),
        backoff_max: Duration::from_millis(500),
        retry_after_max: Duration::from_secs(5),
    };

    #[test]
    fn waits_double_up_to_the_limit_and_end_with_the_last_try() {
        let longest = |tries| POLICY.wait_after(tries, None, 1023).map(|wait| wait.as_millis());
        let waits: Vec<_> = (1..=6).map(longest).collect();
        assert_eq!(waits, [Some(100), Some(200), Some(400), Some(500), Some(500), None]);
        assert_eq!(POLICY.wait_after(1, None, 0), Some(Duration::from_millis(50)));
    }

    #[test]
    fn a_server_is_left_alone_for_at_least_as_long_as_it_asks() {
        let asked = Some(Duration::from_secs(5));
        assert_eq!(POLICY.wait_after(1, asked, 0), asked);
        assert_eq!(POLICY.wait_after(1, asked, 1023), Some(Duration::from_millis(5_100)));
        assert_eq!(
            POLICY.wait_after(1, Some(Duration::from_secs(6)), 0),
            None,
            "longer than we are willing to wait"
        );
    }

    #[test]
    fn never_is_never() {
        assert_eq!(RetryPolicy::NEVER.wait_after(1, None, 7), None);
    }

    proptest::proptest! {
        #[test]
        fn no_number_of_tries_overflows(tries in 0u32.., random: u64, after in proptest::option::of(0u64..)) {
            let policy = RetryPolicy { attempts: u32::MAX, ..POLICY };
            let wait = policy.wait_after(tries, after.map(Duration::from_secs), random);
            proptest::prop_assert!(wait.is_none_or(|wait| wait <= Duration::from_millis(5_100)));
        }
    }
}
