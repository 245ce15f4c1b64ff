//! What the tests run the actors over: ports that keep everything in memory, with the rules of the real ones and switches
//! for faults.

mod cluster;
mod instruments;
mod keys;
mod store;
mod store_ports;
mod switches;
mod world;

pub use cluster::MemoryCluster;
pub use instruments::{SeededEntropy, TokioClock};
pub use keys::{MemoryKeys, NumberedKeys};
pub use store::MemoryStore;
pub use world::{SECRET, World, eager, new_agent, origin, patient, presented, request, until};
