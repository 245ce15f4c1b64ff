//! Time: one true time, which nobody in the world can read, and what each machine's clock makes of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use domain::ports::Clock;

use crate::lock::lock;

/// How far the world moves at once. Timers of the runtime are no finer.
pub const TICK: Duration = Duration::from_millis(1);

/// When every world begins, in seconds since 1970.
const EPOCH: i64 = 1_800_000_000;

/// The world's time. Copies are the same one.
#[derive(Clone, Default)]
pub struct TrueTime(Arc<AtomicU64>);

impl TrueTime {
    /// Since the world began.
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// One tick on.
    pub fn advance(&self) {
        self.0.fetch_add(tick_us(), Ordering::Relaxed);
    }
}

fn tick_us() -> u64 {
    u64::try_from(TICK.as_micros()).expect("a tick is short")
}

/// A machine's clocks. As long as nobody interferes they are right.
#[derive(Clone)]
pub struct MachineClock {
    time: TrueTime,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What the monotonic clock shows, in microseconds.
    monotonic_us: u64,
    /// By how many microseconds the wall clock is ahead of true time.
    ahead_us: i64,
    drift: Drift,
}

/// How fast clocks go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// How much the wall clock gains, in thousandths.
    pub wall_per_mille: i64,
    /// How much the monotonic clock gains, and with it all timers, in thousandths: by oscillators that are good enough to be
    /// sold, and no service sets it right.
    pub monotonic_per_mille: i64,
}

impl MachineClock {
    /// One that is right.
    pub fn right(time: TrueTime) -> Self {
        Self {
            time,
            state: Arc::default(),
        }
    }

    /// Sets the wall clock to be so far ahead, or behind.
    pub fn set_ahead(&self, by_ms: i64) {
        lock(&self.state).ahead_us = by_ms * 1_000;
    }

    /// Lets the clocks run wrong from now on.
    pub fn set_drift(&self, drift: Drift) {
        lock(&self.state).drift = drift;
    }

    /// A tick passes. Answers how many this machine takes it for, which is one unless its monotonic clock drifts.
    pub(super) fn advance(&self) -> u64 {
        let tick_us = tick_us();
        let mut state = lock(&self.state);
        let gained = |per_mille: i64| per_mille * i64::try_from(tick_us).unwrap_or(i64::MAX) / 1_000;
        state.ahead_us += gained(state.drift.wall_per_mille);
        let before = state.monotonic_us;
        state.monotonic_us = (before + tick_us).saturating_add_signed(gained(state.drift.monotonic_per_mille));
        state.monotonic_us / tick_us - before / tick_us
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        let right = Timestamp::from_seconds(EPOCH).plus(self.time.now());
        let ahead_us = lock(&self.state).ahead_us;
        let by = Duration::from_micros(ahead_us.unsigned_abs());
        if ahead_us < 0 { right.minus(by) } else { right.plus(by) }
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(lock(&self.state).monotonic_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clock, and how many ticks its machine took for a second.
    fn after_a_second(drift: Drift) -> (MachineClock, u64) {
        let time = TrueTime::default();
        let clock = MachineClock::right(time.clone());
        clock.set_drift(drift);
        let ticks = (0..1_000).map(|_| {
            time.advance();
            clock.advance()
        });
        let ticks = ticks.sum();
        (clock, ticks)
    }

    #[test]
    fn a_clock_that_is_left_alone_is_right_and_ticks_with_the_world() {
        let (clock, ticks) = after_a_second(Drift::default());
        assert_eq!((clock.monotonic(), ticks), (Duration::from_secs(1), 1_000));
        assert_eq!(clock.now(), Timestamp::from_seconds(EPOCH + 1));
    }

    #[test]
    fn a_clock_that_drifts_takes_its_timers_along_and_the_wall_clock_drifts_by_itself() {
        let drift = |monotonic_per_mille| Drift {
            wall_per_mille: -400,
            monotonic_per_mille,
        };
        let (slow, ticks) = after_a_second(drift(-10));
        assert_eq!((slow.monotonic(), ticks), (Duration::from_millis(990), 990));
        let (fast, ticks) = after_a_second(drift(10));
        assert_eq!((fast.monotonic(), ticks), (Duration::from_millis(1_010), 1_010));
        let right = Timestamp::from_seconds(EPOCH + 1);
        assert_eq!(fast.now(), right.minus(Duration::from_millis(400)));
        fast.set_ahead(0);
        assert_eq!(fast.now(), right);
    }
}
