//! Where rows are kept: PostgreSQL, or one embedded SQLite file, behind the same ports of the domain.
//!
//! `postgres/` and `embedded/` have the same file names, and `conformance/` is the definition of what both must do.
//!
//! **Architecture invariant:** only this crate knows SQL. It decides nothing that is not a constraint; every write is one
//! transaction of the row, its audit event and its outbox message.

mod audit_page;
pub mod conformance;
mod embedded;
mod health;
mod ownership;
mod postgres;
mod search;
mod stores;

pub use embedded::{EmbeddedStore, Execution, Link, SharedMemory};
pub use health::PoolState;
pub use postgres::{PostgresConfig, PostgresStore};
pub use stores::Stores;
