//! The signing keys that are in force: an immutable ring, exchanged as a whole when the replicated keys change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use protocol::jose::KeyRing;

/// A ring and its public half as it is served.
pub struct Ring {
    /// Signs and verifies; takes no lock.
    pub ring: KeyRing,
    /// The JWK Set (RFC 7517 §5).
    pub jwks: Bytes,
    /// Counts the rings of this process: what was found out with one need not hold with the next.
    pub generation: u64,
}

/// Hands out the ring that is in force.
pub struct Keys(ArcSwap<Ring>);

impl Keys {
    /// Starts with this ring.
    pub fn new(ring: KeyRing) -> Self {
        Self(ArcSwap::from_pointee(Ring::of(ring, 0)))
    }

    /// The ring that is in force now. Hold it for one request, not longer.
    pub fn current(&self) -> Arc<Ring> {
        self.0.load_full()
    }

    /// Puts another ring in force; requests in flight finish with the one that they hold. Called by one task only.
    pub fn replace(&self, ring: KeyRing) {
        let generation = self.0.load().generation + 1;
        self.0.store(Arc::new(Ring::of(ring, generation)));
    }
}

impl Ring {
    fn of(ring: KeyRing, generation: u64) -> Self {
        let jwks = Bytes::copy_from_slice(ring.jwks().as_bytes());
        Self { ring, jwks, generation }
    }
}
