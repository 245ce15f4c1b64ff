//! How far away the leader and its quorum are, by the time that questions take which are answered without writing
//! anything.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use crate::lock::lock;

/// How many trips are remembered: those of some four seconds.
const TRIPS: usize = 16;

/// The last trips there and back.
#[derive(Default)]
pub(crate) struct Distance(Mutex<VecDeque<Duration>>);

impl Distance {
    /// A question was answered after so long.
    pub(crate) fn note(&self, trip: Duration) {
        let mut trips = lock(&self.0);
        if trips.len() == TRIPS {
            trips.pop_front();
        }
        trips.push_back(trip);
    }

    /// The shortest of the last trips, which says little of how busy everybody was; `None` if there was none yet.
    pub(crate) fn shortest(&self) -> Option<Duration> {
        lock(&self.0).iter().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_trip_counts_until_it_is_long_ago() {
        let distance = Distance::default();
        assert_eq!(distance.shortest(), None);
        let ms = Duration::from_millis;
        distance.note(ms(3));
        for _ in 1..TRIPS {
            distance.note(ms(90));
            assert_eq!(distance.shortest(), Some(ms(3)), "the others are due to something else");
        }
        distance.note(ms(100));
        assert_eq!(distance.shortest(), Some(ms(90)));
    }
}
