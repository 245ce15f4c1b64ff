//! Where rows are kept.

use std::path::PathBuf;
use std::time::Duration;

use domain::Secret;

use super::reader::Reader;

/// Which store.
#[derive(Clone)]
pub enum StoreLocation {
    /// One SQLite file; in the data directory when no path is given.
    Embedded(Option<PathBuf>),
    /// A PostgreSQL server; the URL may hold a password.
    Postgres(Secret),
}

/// Section `store`.
#[derive(Clone)]
pub struct StoreConfig {
    /// Which store.
    pub location: StoreLocation,
    /// The most connections to PostgreSQL.
    pub pool_max: u32,
    /// Connections that are kept open when nobody asks.
    pub pool_min: u32,
    /// How long a caller waits for a connection.
    pub connect_timeout: Duration,
    /// After which an idle connection is closed.
    pub idle_timeout: Duration,
    /// After which PostgreSQL gives a statement up.
    pub statement_timeout: Duration,
}

impl StoreConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let location = read_location(reader);
        let config = Self {
            location,
            pool_max: reader.value("store.pool_max", 20),
            pool_min: reader.value("store.pool_min", 2),
            connect_timeout: reader.value("store.connect_timeout", Duration::from_secs(5)),
            idle_timeout: reader.value("store.idle_timeout", Duration::from_secs(30)),
            statement_timeout: reader.value("store.statement_timeout", Duration::from_secs(5)),
        };
        if config.pool_max == 0 || config.pool_min > config.pool_max {
            reader.mistake("store.pool_max", "must be at least 1 and not below store.pool_min");
        }
        config
    }
}

fn read_location(reader: &mut Reader) -> StoreLocation {
    let Some(url) = reader.secret("store.url") else {
        return StoreLocation::Embedded(None);
    };
    let text = url.expose();
    if let Some(path) = text.strip_prefix("embedded:") {
        return StoreLocation::Embedded((!path.is_empty()).then(|| PathBuf::from(path)));
    }
    if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
        reader.mistake("store.url", "must be embedded:PATH or postgres://user@host/database");
    }
    StoreLocation::Postgres(url)
}
