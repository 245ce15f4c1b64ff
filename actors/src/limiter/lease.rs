//! The permits of one window, taken with one atomic operation each.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;

use super::class::LimitClass;

/// How long a window is.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

const PERMIT_BITS: u32 = 24;
/// The most permits that one window can hold: what fits beside the window's end.
pub(super) const PERMITS_MAX: u32 = (1 << PERMIT_BITS) - 1;

/// A window and what is left of it. The end (milliseconds on the monotonic clock) and the permits share one word, so no
/// permit of one window can ever be taken for one of another.
#[derive(Default)]
pub(crate) struct Lease {
    word: AtomicU64,
    /// The end on the wall clock, for people.
    reset_at: AtomicI64,
}

/// What became of an attempt to take a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// There was one; this many are left.
    Permit { remaining: u32 },
    /// There is none until the window is over, which takes this long.
    Exhausted { wait: Duration },
    /// The window is over.
    Over,
}

fn pack(ends: u64, permits: u32) -> u64 {
    ends << PERMIT_BITS | u64::from(permits.min(PERMITS_MAX))
}

fn ends(word: u64) -> u64 {
    word >> PERMIT_BITS
}

fn permits(word: u64) -> u32 {
    u32::try_from(word & u64::from(PERMITS_MAX)).expect("24 bits fit 32")
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Lease {
    /// Takes one permit if there is one at `now` (monotonic).
    pub fn take(&self, now: Duration) -> Taken {
        let now = millis(now);
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            if now >= ends(seen) {
                return Taken::Over;
            }
            if permits(seen) == 0 {
                let wait = Duration::from_millis(ends(seen) - now);
                return Taken::Exhausted { wait };
            }
            match self
                .word
                .compare_exchange_weak(seen, seen - 1, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => {
                    let remaining = permits(seen) - 1;
                    return Taken::Permit { remaining };
                }
                Err(changed) => seen = changed,
            }
        }
    }

    /// Opens the next window, unless the present one is not over or somebody else has just opened it.
    pub fn open(&self, now: Duration, wall: Timestamp, permits: u32) -> bool {
        let seen = self.word.load(Ordering::Acquire);
        if millis(now) < ends(seen) {
            return false;
        }
        self.reset_at.store(wall.plus(WINDOW).as_millis(), Ordering::Relaxed);
        let next = pack(millis(now + WINDOW), permits);
        self.word
            .compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// When the window is over, on the monotonic clock.
    pub fn ends(&self) -> Duration {
        Duration::from_millis(ends(self.word.load(Ordering::Acquire)))
    }

    /// When the window is over, on the wall clock.
    pub fn reset_at(&self) -> Timestamp {
        Timestamp::from_millis(self.reset_at.load(Ordering::Relaxed))
    }
}

/// One lease for each class.
#[derive(Default)]
pub(crate) struct Leases([Lease; LimitClass::COUNT]);

impl Leases {
    /// The lease of a class.
    pub fn of(&self, class: LimitClass) -> &Lease {
        &self.0[class.index()]
    }

    /// Whether no window is open, so that nothing needs to be remembered.
    pub fn are_over(&self, now: Duration) -> bool {
        self.0.iter().all(|lease| lease.ends() <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_window_gives_its_permits_and_no_more_until_it_is_over() {
        let lease = Lease::default();
        assert_eq!(lease.take(at(5)), Taken::Over);
        assert!(lease.open(at(5), Timestamp::from_seconds(100), 2));
        assert_eq!(lease.take(at(5)), Taken::Permit { remaining: 1 });
        assert_eq!(lease.take(at(6)), Taken::Permit { remaining: 0 });
        assert_eq!(lease.take(at(7)), Taken::Exhausted { wait: at(58) });
        assert!(
            !lease.open(at(64), Timestamp::from_seconds(159), 2),
            "the window is not over"
        );
        assert_eq!(lease.take(at(65)), Taken::Over);
        assert_eq!(lease.reset_at(), Timestamp::from_seconds(160));
        assert!(lease.open(at(65), Timestamp::from_seconds(160), 2));
    }

    #[test]
    fn only_one_of_many_opens_a_window() {
        let lease = Lease::default();
        let opened = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| lease.open(at(5), Timestamp::EPOCH, 10)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .filter(|won| *won)
                .count()
        });
        assert_eq!(opened, 1);
    }

    proptest! {
        #[test]
        fn threads_that_race_for_permits_never_get_more_than_there_are(limit in 0u32..500, asking in 1usize..200) {
            let lease = Lease::default();
            lease.open(at(5), Timestamp::EPOCH, limit);
            let take = || (0..asking).filter(|_| matches!(lease.take(at(6)), Taken::Permit { .. })).count();
            let admitted: usize = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
            });
            prop_assert_eq!(admitted, (limit as usize).min(4 * asking));
        }

        #[test]
        fn the_word_holds_both_halves(ends_ms in 0u64..1 << 40, count in 0u32..=PERMITS_MAX) {
            let word = pack(ends_ms, count);
            prop_assert_eq!((ends(word), permits(word)), (ends_ms, count));
        }
    }
}
