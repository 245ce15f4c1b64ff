//! When the uses of a client's credentials were last told to its organization. Read and written without a lock, since
//! every introspection passes here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Never told: no clock that counts from the start of the node gets there.
const NEVER: u64 = u64::MAX;

/// One mark for each credential, in their order.
#[derive(Debug)]
pub(super) struct UseMarks(Box<[AtomicU64]>);

impl UseMarks {
    /// Nothing has been told.
    pub fn new(count: usize) -> Self {
        Self((0..count).map(|_| AtomicU64::new(NEVER)).collect())
    }

    /// Whether a use at `now` (monotonic) is to be told; true at most once in `once_in`.
    pub fn is_due(&self, index: usize, now: Duration, once_in: Duration) -> bool {
        let (mark, now_ms) = (&self.0[index], millis(now));
        let told = mark.load(Ordering::Relaxed);
        let is_due = told == NEVER || now_ms.saturating_sub(told) >= millis(once_in);
        // Of several who come at once, one tells.
        is_due
            && mark
                .compare_exchange(told, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_told_once_in_a_while_and_for_each_credential() {
        let (marks, often) = (UseMarks::new(2), Duration::from_secs(10));
        let at = Duration::from_secs;
        assert!(marks.is_due(0, at(0), often));
        assert!(!marks.is_due(0, at(9), often));
        assert!(marks.is_due(1, at(9), often));
        assert!(marks.is_due(0, at(10), often));
        assert!(!marks.is_due(0, at(19), often));
    }
}
