//! The embedded store: one SQLite file in the data directory, for laptops, tests and the simulator.
//!
//! SQLite has no row level security, so here each statement names the organization; the conformance suite proves that
//! none forgets to.

mod agents;
mod audit_trail;
mod change;
mod clients;
mod credentials;
mod error;
mod key_page;
mod lane;
mod migrations;
mod organizations;
mod outbox;
mod rows;
mod shared_memory;
mod store;

pub use lane::Execution;
pub use shared_memory::{Link, SharedMemory};
pub use store::EmbeddedStore;
