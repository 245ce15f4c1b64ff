//! Time: one true time, which nobody in the world can read, and what each machine's clock makes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use domain::ports::Clock;

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
        let micros = u64::try_from(TICK.as_micros()).expect("a tick is short");
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

/// A machine's clocks: the monotonic one is true, the wall clock may be set.
#[derive(Clone)]
pub struct MachineClock {
    time: TrueTime,
    /// By how many milliseconds the wall clock is ahead.
    ahead_ms: Arc<AtomicI64>,
}

impl MachineClock {
    /// One that is right.
    pub fn right(time: TrueTime) -> Self {
        Self {
            time,
            ahead_ms: Arc::default(),
        }
    }

    /// Sets the wall clock to be so far ahead, or behind.
    pub fn set_ahead(&self, by_ms: i64) {
        self.ahead_ms.store(by_ms, Ordering::Relaxed);
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        let right = Timestamp::from_seconds(EPOCH).plus(self.time.now());
        let ahead = self.ahead_ms.load(Ordering::Relaxed);
        let by = Duration::from_millis(ahead.unsigned_abs());
        if ahead < 0 { right.minus(by) } else { right.plus(by) }
    }

    fn monotonic(&self) -> Duration {
        self.time.now()
    }
}
