//! When a connection is to be replaced by a new one although nothing is wrong with it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::security::Replacement;

/// Watches over the age and the certificates of one connection.
pub(super) struct Retirement {
    replacement: Replacement,
    old_at: Instant,
}

impl Retirement {
    pub(super) fn new(replacement: Replacement, age_max: Duration) -> Self {
        Self {
            replacement,
            old_at: Instant::now() + age_max,
        }
    }

    /// Returns when the connection is to be replaced, and tells why.
    pub(super) async fn wait(&mut self) -> &'static str {
        tokio::select! {
            () = self.replacement.wait() => "other certificates are in force",
            () = sleep_until(self.old_at) => "the connection is old",
        }
    }
}
