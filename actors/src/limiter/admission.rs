//! Whether a request may go on, and what its client is told of its limit.

use std::time::Duration;

use domain::Timestamp;

/// The answer to one request for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whether the request may go on.
    pub allowed: bool,
    /// The permits of one window; 0 if there is no limit.
    pub limit: u32,
    /// How many are left in this window.
    pub remaining: u32,
    /// When the next window may begin.
    pub reset_at: Timestamp,
    /// How long to wait before asking again; zero if the request may go on.
    pub retry_after: Duration,
}

impl Admission {
    /// For a class that has no limit.
    pub(super) const fn unlimited(now: Timestamp) -> Self {
        Self {
            allowed: true,
            limit: 0,
            remaining: 0,
            reset_at: now,
            retry_after: Duration::ZERO,
        }
    }

    /// Fails safe: what can't be counted is not let through.
    pub(super) fn uncounted(limit: u32, now: Timestamp, retry_after: Duration) -> Self {
        Self {
            allowed: false,
            limit,
            remaining: 0,
            reset_at: now.plus(retry_after),
            retry_after,
        }
    }
}
