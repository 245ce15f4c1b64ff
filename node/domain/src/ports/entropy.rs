//! Randomness, as a port: a simulator seeds it, a node takes the operating system's.

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with uniformly random bytes. Implementations abort the process rather than return weak ones.
    fn fill(&self, bytes: &mut [u8]);
}
