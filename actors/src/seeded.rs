//! A hash state whose seed comes from the entropy port: callers can't aim at one bucket, and a simulation repeats itself.

use std::hash::{BuildHasher, DefaultHasher, Hasher};

use domain::ports::Entropy;

/// SipHash with a secret prefix.
#[derive(Clone)]
pub(crate) struct SeededState([u8; 16]);

impl SeededState {
    /// Draws a seed.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut seed = [0; 16];
        entropy.fill(&mut seed);
        Self(seed)
    }
}

impl BuildHasher for SeededState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.0);
        hasher
    }
}
