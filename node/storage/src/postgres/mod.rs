//! PostgreSQL, for installations of more than one node.
//!
//! Every statement runs in a transaction that is bound to one tenant, and row level security in the database shows it
//! that tenant's rows only, also when a statement forgets to ask for them. A read is one round trip, a write two:
//! `session.rs` says how.

mod agents;
mod audit_trail;
mod change;
mod clients;
mod config;
mod connection;
mod credentials;
mod error;
mod migrations;
mod organizations;
mod outbox;
mod pool;
mod rows;
mod service_role;
mod session;
mod store;
mod time;
mod tls;

pub use config::PostgresConfig;
pub use store::PostgresStore;
