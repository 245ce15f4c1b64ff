//! Where rows are kept.

use std::path::{Path, PathBuf};
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

impl StoreLocation {
    /// Which store it is, without user and password: `embedded:PATH`, or `postgres://host/database`.
    pub fn describe(&self, data_dir: &Path) -> String {
        match self {
            Self::Embedded(path) => {
                let path = path.clone().unwrap_or_else(|| StoreConfig::file_in(data_dir));
                format!("embedded:{}", path.display())
            }
            Self::Postgres(url) => host_and_database(url.expose()).map_or_else(
                || "postgres://********".to_owned(),
                |place| format!("postgres://{place}"),
            ),
        }
    }
}

/// What a URL of PostgreSQL says between the credentials and the parameters, which may hold a password too. Nothing where it
/// is not plain that the rest is no part of one.
fn host_and_database(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (credentials, place) = rest.split_once('@').unwrap_or(("", rest));
    let is_plain = !credentials.contains('?') && !place.contains('@');
    place.split('?').next().filter(|_| is_plain)
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

/// The embedded store's file in the data directory.
const STORE_FILE: &str = "agentidp.db";

impl StoreConfig {
    /// The embedded store's file in a data directory, unless another was named.
    pub fn file_in(data_dir: &Path) -> PathBuf {
        data_dir.join(STORE_FILE)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_described_without_credentials() {
        let describe = |url: &str| StoreLocation::Postgres(Secret::new(url)).describe(Path::new("data"));
        for (url, shown) in [
            (
                "postgres://u:hunter2@db:5433/idp?sslmode=require",
                "postgres://db:5433/idp",
            ),
            ("postgres://u:hunter2/x@a,b/idp", "postgres://a,b/idp"),
            ("postgresql://db/idp?password=hunter2", "postgres://db/idp"),
        ] {
            assert_eq!(describe(url), shown);
        }
        for url in [
            "postgres://u:hunter2?x@db/idp",
            "postgres://u:x@hunter2@db/idp",
            "postgres://u:x@hunter2?y@db/idp",
            "postgres://db/idp?password=x@hunter2",
        ] {
            assert_eq!(describe(url), "postgres://********", "{url}");
        }
        let embedded =
            |path: Option<&str>| StoreLocation::Embedded(path.map(PathBuf::from)).describe(Path::new("data"));
        assert_eq!(embedded(None), "embedded:data/agentidp.db");
        assert_eq!(embedded(Some("/x.db")), "embedded:/x.db");
    }
}
