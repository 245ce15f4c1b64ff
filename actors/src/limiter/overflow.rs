//! What happens when more clients ask than can be counted apart: those without a place share one client's limit.
//!
//! While a shared window is open, no client without a place gets one, or it could use up both. So sharing errs on the side
//! of refusing, never of admitting more than a client's limit.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use domain::Timestamp;

use super::class::LimitClass;
use super::lease::{Leases, Taken};
use crate::lock::lock;

/// The limit that clients without a place share.
#[derive(Default)]
pub(super) struct Overflow {
    /// Held while it is decided whether a client gets a place or shares.
    gate: Mutex<Leases>,
}

/// The decision is ours.
pub(super) struct Gate<'a>(MutexGuard<'a, Leases>);

impl Overflow {
    /// Waits until the decision is ours.
    pub fn gate(&self) -> Gate<'_> {
        Gate(lock(&self.gate))
    }
}

impl Gate<'_> {
    /// Whether clients share now, and so must go on sharing until the window is over.
    pub fn is_shared(&self, now: Duration) -> bool {
        !self.0.are_over(now)
    }

    /// Takes a shared permit; answers when the window is over, too.
    pub fn take(&self, class: LimitClass, now: Duration, wall: Timestamp, limit: u32) -> (Taken, Timestamp) {
        let lease = self.0.of(class);
        lease.open(now, wall, limit);
        (lease.take(now), lease.reset_at())
    }
}
