//! A machine's randomness: a stream that follows from the seed, the machine, and how often it has started.

use std::sync::Mutex;

use domain::ports::Entropy;

use crate::lock::lock;
use crate::random::Random;

/// A stream of bytes.
pub struct SeededEntropy(Mutex<Random>);

impl SeededEntropy {
    /// From this stream on.
    pub fn new(random: Random) -> Self {
        Self(Mutex::new(random))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut random = lock(&self.0);
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&random.draw().to_le_bytes()[..chunk.len()]);
        }
    }
}
