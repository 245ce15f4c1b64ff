//! How the wire between two nodes treats what one sends to the other: a direction of its own, so that a network can be
//! cut one way only.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::random::Random;

/// One direction of a wire. By default it carries everything at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conduct {
    /// Whether nothing gets through.
    pub is_cut: bool,
    /// How long a frame is under way.
    #[serde(rename = "delayMicros", with = "crate::micros")]
    pub delay: Duration,
    /// By how much longer at most; frames do not overtake each other.
    #[serde(rename = "jitterMicros", with = "crate::micros")]
    pub jitter: Duration,
    /// How many frames of a thousand are lost.
    pub loss_per_mille: u16,
    /// How many frames of a thousand come twice.
    pub twice_per_mille: u16,
}

/// By how much later than it would have come by itself the second of two comes, at most.
const COPY_LATE_MAX: Duration = Duration::from_millis(500);

impl Conduct {
    /// Nothing gets through.
    pub const CUT: Self = Self {
        is_cut: true,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss_per_mille: 0,
        twice_per_mille: 0,
    };

    /// Both at once.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            is_cut: self.is_cut || other.is_cut,
            delay: self.delay + other.delay,
            jitter: self.jitter + other.jitter,
            loss_per_mille: self.loss_per_mille.max(other.loss_per_mille),
            twice_per_mille: self.twice_per_mille.max(other.twice_per_mille),
        }
    }

    /// How long this frame is under way; `None` if it is lost.
    pub fn fate(&self, random: &mut Random) -> Option<Duration> {
        if self.is_cut || (self.loss_per_mille > 0 && random.happens(self.loss_per_mille)) {
            return None;
        }
        let late = if self.jitter.is_zero() {
            Duration::ZERO
        } else {
            random.up_to(self.jitter)
        };
        Some(self.delay + late)
    }

    /// How long a copy of this frame is under way, if there is one that is not lost.
    pub fn fate_of_copy(&self, random: &mut Random) -> Option<Duration> {
        if self.twice_per_mille == 0 || !random.happens(self.twice_per_mille) {
            return None;
        }
        Some(self.fate(random)? + random.up_to(COPY_LATE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_wire_carries_nothing_and_a_whole_one_everything_at_once() {
        let mut random = Random::seeded(1);
        assert_eq!(Conduct::CUT.fate(&mut random), None);
        assert_eq!(Conduct::default().fate(&mut random), Some(Duration::ZERO));
    }

    #[test]
    fn a_bad_wire_loses_its_share_and_delays_the_rest_within_its_bounds() {
        let mut random = Random::seeded(2);
        let (delay, jitter) = (Duration::from_millis(50), Duration::from_millis(20));
        let bad = Conduct {
            delay,
            jitter,
            loss_per_mille: 100,
            ..Conduct::default()
        };
        let fates: Vec<Duration> = (0..10_000).filter_map(|_| bad.fate(&mut random)).collect();
        assert!((8_800..9_200).contains(&fates.len()), "{}", fates.len());
        assert!(fates.iter().all(|fate| (delay..=delay + jitter).contains(fate)));
    }

    #[test]
    fn a_wire_that_copies_does_so_to_its_share_and_the_others_never_do() {
        let mut random = Random::seeded(3);
        let copying = Conduct {
            twice_per_mille: 200,
            ..Conduct::default()
        };
        let copies = |conduct: Conduct, random: &mut Random| -> usize {
            (0..10_000).filter_map(|_| conduct.fate_of_copy(random)).count()
        };
        let copied = copies(copying, &mut random);
        assert!((1_800..2_200).contains(&copied), "{copied}");
        assert_eq!(copies(Conduct::default(), &mut random), 0);
        let cut = copying.with(&Conduct::CUT);
        assert_eq!(copies(cut, &mut random), 0);
    }
}
