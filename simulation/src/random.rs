//! Randomness that a seed repeats: SplitMix64.

use std::time::Duration;

/// A stream of numbers; the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed.
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for one user, so that what others draw does not change what this one gets.
    #[must_use]
    pub fn branch(&self, user: u64) -> Self {
        let mut branch = Self::seeded(self.state ^ user.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let _ = branch.draw();
        branch
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a machine has no more than 64 bits");
        usize::try_from(self.draw() % end).expect("below a usize")
    }

    /// Whether something that happens so many times in a thousand happens now.
    pub fn happens(&mut self, per_mille: u16) -> bool {
        self.draw() % 1_000 < u64::from(per_mille)
    }

    /// A time between nothing and `most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let most_us = u64::try_from(most.as_micros()).unwrap_or(u64::MAX - 1);
        Duration::from_micros(self.draw() % (most_us + 1))
    }

    /// One of them, if there is any.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            None
        } else {
            from.get(self.below(from.len()))
        }
    }

    /// Puts them in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_stream_and_branches_do_not_follow_each_other() {
        let drawn = |mut random: Random| -> Vec<u64> { (0..4).map(|_| random.draw()).collect() };
        let seeded = Random::seeded(7);
        assert_eq!(drawn(seeded.clone()), drawn(Random::seeded(7)));
        assert_ne!(drawn(seeded.branch(1)), drawn(seeded.branch(2)));
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..20).collect();
        Random::seeded(3).shuffle(&mut items);
        assert_ne!(items, (0..20).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..20).collect::<Vec<_>>());
    }
}
