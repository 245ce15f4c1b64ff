//! Time, as a port: a simulator turns it, a node reads the machine's.

use std::time::Duration;

use crate::time::Timestamp;

/// The two clocks of a node.
pub trait Clock: Send + Sync {
    /// The wall clock. May jump in either direction; never used to order events between nodes.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start that never goes back; for measuring how long something took.
    fn monotonic(&self) -> Duration;
}
