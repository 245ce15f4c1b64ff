//! The two stores that everything must work on.

/// Where a node keeps its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite in the data directory.
    Embedded,
    /// A PostgreSQL server.
    Postgres,
}
