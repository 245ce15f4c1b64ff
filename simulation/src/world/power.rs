//! Whether a machine has power.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A machine's power. Copies are the same one.
#[derive(Clone)]
pub struct Power(Arc<AtomicBool>);

impl Power {
    /// It is on.
    pub fn on() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Turns it on or off.
    pub fn set(&self, is_on: bool) {
        self.0.store(is_on, Ordering::Relaxed);
    }
}
