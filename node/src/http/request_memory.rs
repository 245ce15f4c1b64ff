//! What the requests of a node, or of one address, may hold in memory together: their heads and their bodies.
//!
//! Worst case. A connection holds one head that is still arriving: its read buffer, at most 32 KiB, which over HTTP/2 is
//! joined by the headers decoded so far, at most 32 KiB, and a table of 4 KiB (RFC 7541 §4.2); with 10,000 connections
//! that is some 680 MiB, with the 1,000 of one address 68 MiB. Heads that have arrived are held by the requests in flight,
//! of which HTTP/2 allows 64 a connection: without the budget here that would be another 2 GiB for one address, with it
//! they are 4 MiB, and 64 MiB for all. Heads and bodies are counted apart, so that nobody who fills the one with bodies
//! keeps requests out that have none; and it takes more addresses to fill the heads' than to take every connection.

use std::sync::Arc;

use super::memory_budget::MemoryBudget;

/// How many bytes of bodies a node holds at once, over all connections of all listeners. An allocation that grows has up
/// to twice the room of what is in it.
const BODY_BYTES_MAX: usize = 64 << 20;
/// How many bytes of heads, as [`super::head::weight`] counts them.
const HEAD_BYTES_MAX: usize = 64 << 20;
/// How many bytes of bodies the requests of one address may hold at once: an eighth of what the node holds for all.
const BODY_BYTES_PER_ADDRESS_MAX: usize = 8 << 20;
/// How many bytes of heads: a sixteenth. Requests of the usual size may be in flight by the thousand.
const HEAD_BYTES_PER_ADDRESS_MAX: usize = 4 << 20;

/// What requests may hold.
#[derive(Clone)]
pub struct RequestMemory {
    /// Their heads.
    pub heads: Arc<MemoryBudget>,
    /// Their bodies.
    pub bodies: Arc<MemoryBudget>,
}

impl RequestMemory {
    /// Of a whole node.
    pub fn of_node() -> Self {
        Self {
            heads: MemoryBudget::new(HEAD_BYTES_MAX),
            bodies: MemoryBudget::new(BODY_BYTES_MAX),
        }
    }

    /// One address's part of this.
    pub fn share(&self) -> Self {
        Self {
            heads: self.heads.part(HEAD_BYTES_PER_ADDRESS_MAX),
            bodies: self.bodies.part(BODY_BYTES_PER_ADDRESS_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_more_than_its_share_and_leaves_the_rest_to_others() {
        let node = RequestMemory::of_node();
        let (greedy, other) = (node.share(), node.share());
        let mut heads = greedy.heads.reservation();
        assert!(heads.grow(HEAD_BYTES_PER_ADDRESS_MAX) && !heads.grow(1));
        let mut bodies = greedy.bodies.reservation();
        assert!(bodies.grow(BODY_BYTES_PER_ADDRESS_MAX), "they are counted apart");
        assert!(!bodies.grow(1));
        assert!(other.heads.reservation().grow(HEAD_BYTES_PER_ADDRESS_MAX));
        assert!(other.bodies.reservation().grow(BODY_BYTES_PER_ADDRESS_MAX));
    }
}
