//! Faults that a test can switch on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The faults of one port implementation.
#[derive(Default)]
pub struct Switches {
    away: AtomicBool,
    panics: AtomicBool,
    delay_micros: AtomicU64,
    calls: AtomicU64,
}

impl Switches {
    /// Every call fails as if nobody answered.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// The next call panics.
    pub fn panic_once(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    /// Every call takes that long.
    pub fn set_delay(&self, delay: Duration) {
        self.delay_micros
            .store(delay.as_micros().try_into().expect("short"), Ordering::SeqCst);
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// To be called first by every call; says whether to go on.
    pub async fn pass(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let delay = Duration::from_micros(self.delay_micros.load(Ordering::SeqCst));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        assert!(
            !self.panics.swap(false, Ordering::SeqCst),
            "a panic that the test asked for"
        );
        !self.away.load(Ordering::SeqCst)
    }
}
