//! What a limiter decides: when the next window opens. Pure.

use std::time::Duration;

use super::class::LimitClass;
use super::lease::{Leases, WINDOW};
use crate::settings::LimiterSettings;

/// One client's windows.
pub(crate) struct LimiterState {
    limits: [u32; LimitClass::COUNT],
    ends: [Duration; LimitClass::COUNT],
}

/// What is to be done when somebody found a window over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Open a window with this many permits.
    Open { permits: u32 },
    /// There is one already.
    None,
}

impl LimiterState {
    /// Goes on where a former incarnation was: the leases tell which windows it has opened.
    pub fn new(settings: &LimiterSettings, leases: &Leases) -> Self {
        Self {
            limits: LimitClass::ALL.map(|class| class.limit(settings)),
            ends: LimitClass::ALL.map(|class| leases.of(class).ends()),
        }
    }

    /// Somebody found the window of this class over.
    pub fn on_over(&mut self, now: Duration, class: LimitClass) -> Step {
        let now = whole_millis(now);
        let ends = &mut self.ends[class.index()];
        if now < *ends {
            return Step::None;
        }
        *ends = now + WINDOW;
        Step::Open {
            permits: self.limits[class.index()],
        }
    }
}

/// Leases count in milliseconds; a window that is over there must be over here.
fn whole_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_window_is_opened_once_however_many_found_the_last_one_over() {
        let mut state = LimiterState::new(&LimiterSettings::default(), &Leases::default());
        assert_eq!(state.on_over(at(1), LimitClass::Verify), Step::Open { permits: 30 });
        assert_eq!(state.on_over(at(1), LimitClass::Verify), Step::None);
        assert_eq!(state.on_over(at(60), LimitClass::Verify), Step::None);
        assert_eq!(state.on_over(at(61), LimitClass::Verify), Step::Open { permits: 30 });
    }

    #[test]
    fn a_window_that_a_lease_finds_over_is_over_here_too() {
        let (mut state, lease) = (
            LimiterState::new(&LimiterSettings::default(), &Leases::default()),
            Leases::default(),
        );
        let start = Duration::from_micros(1_000_900);
        assert_ne!(state.on_over(start, LimitClass::Token), Step::None);
        lease.of(LimitClass::Token).open(start, Timestamp::EPOCH, 1);
        let found_over = Duration::from_micros(61_000_100);
        assert!(lease.of(LimitClass::Token).ends() <= found_over);
        assert_ne!(state.on_over(found_over, LimitClass::Token), Step::None);
    }

    #[test]
    fn classes_have_windows_of_their_own() {
        let mut state = LimiterState::new(&LimiterSettings::default(), &Leases::default());
        assert_eq!(state.on_over(at(1), LimitClass::Verify), Step::Open { permits: 30 });
        assert_eq!(state.on_over(at(2), LimitClass::Token), Step::Open { permits: 100 });
    }

    #[test]
    fn a_successor_opens_no_window_that_its_predecessor_has_opened() {
        let leases = Leases::default();
        leases.of(LimitClass::Token).open(at(1), Timestamp::EPOCH, 100);
        let mut successor = LimiterState::new(&LimiterSettings::default(), &leases);
        assert_eq!(successor.on_over(at(30), LimitClass::Token), Step::None);
    }
}
