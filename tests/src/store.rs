//! The store under one node, and ways into it that the node does not know of.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::backend::Backend;
use crate::postgres::Database;
use crate::settings;

/// How every SQLite file begins (its file format's §1.3.1).
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// A throw-away store.
pub enum Store {
    /// SQLite in this data directory.
    Embedded(PathBuf),
    /// A database.
    Postgres(Database),
}

impl Store {
    /// For a node with this data directory.
    pub async fn fresh(backend: Backend, data_dir: &Path) -> Self {
        match backend {
            Backend::Embedded => Self::Embedded(data_dir.to_owned()),
            Backend::Postgres => Self::Postgres(Database::fresh().await),
        }
    }

    /// What the node is told of it. Beside PostgreSQL it gets a Redis too, if there is one.
    pub fn environment(&self) -> Vec<(String, String)> {
        let Self::Postgres(database) = self else {
            return Vec::new();
        };
        let redis = settings::redis_url().map(|url| ("REDIS_URL".to_owned(), url));
        std::iter::once(("DATABASE_URL".to_owned(), database.url()))
            .chain(redis)
            .collect()
    }

    /// The SQLite file; panics on PostgreSQL.
    pub fn file(&self) -> PathBuf {
        let Self::Embedded(data_dir) = self else {
            panic!("there is no file under PostgreSQL")
        };
        files_under(data_dir)
            .into_iter()
            .find(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(SQLITE_MAGIC)))
            .unwrap_or_else(|| panic!("there is no SQLite file in {}", data_dir.display()))
    }

    /// Runs statements as somebody who can do everything: without triggers, policies and foreign keys.
    pub async fn execute_unchecked(&self, statements: &str) {
        match self {
            Self::Postgres(database) => database.execute_unchecked(statements).await,
            Self::Embedded(_) => {
                let connection = self.open();
                drop_triggers(&connection);
                connection
                    .pragma_update(None, "foreign_keys", false)
                    .expect("foreign keys can be switched off");
                connection.execute_batch(statements).expect("the statements are valid");
            }
        }
    }

    /// Runs statements with the node's own rights, triggers included; the store's refusal if it refuses.
    pub async fn execute_as_node(&self, statements: &str) -> Result<(), String> {
        match self {
            Self::Postgres(database) => database.execute_as_node(statements).await,
            Self::Embedded(_) => self.open().execute_batch(statements).map_err(|error| error.to_string()),
        }
    }

    /// The first column of the rows that a query answers, as text.
    pub async fn query(&self, query: &str) -> Vec<String> {
        match self {
            Self::Postgres(database) => database.query(query).await,
            Self::Embedded(_) => {
                let connection = self.open();
                let mut statement = connection.prepare(query).expect("a valid query");
                let rows = statement
                    .query_map([], |row| row.get_ref(0).map(as_text))
                    .expect("a query without parameters");
                rows.map(|row| row.expect("a readable row")).collect()
            }
        }
    }

    /// An identifier as it is written in a statement.
    pub fn id(&self, uuid: &str) -> String {
        match self {
            Self::Embedded(_) => self.blob(&uuid.replace('-', "")),
            Self::Postgres(_) => format!("'{uuid}'"),
        }
    }

    /// Bytes, given in hexadecimal digits, as they are written in a statement.
    pub fn blob(&self, hex: &str) -> String {
        match self {
            Self::Embedded(_) => format!("X'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'"),
        }
    }

    /// Every byte that the store keeps on disk, where that can be read.
    pub fn bytes_on_disk(&self) -> Vec<u8> {
        let Self::Embedded(data_dir) = self else {
            return Vec::new();
        };
        files_under(data_dir)
            .iter()
            .filter_map(|path| std::fs::read(path).ok())
            .flatten()
            .collect()
    }

    fn open(&self) -> Connection {
        let connection = Connection::open(self.file()).expect("the store's file can be opened");
        connection
            .busy_timeout(crate::eventually::DEADLINE)
            .expect("a time-out can be set");
        connection
    }
}

fn as_text(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn drop_triggers(connection: &Connection) {
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        .expect("a valid query");
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))
        .expect("a query without parameters");
    let drops: String = names
        .map(|name| format!("DROP TRIGGER {};", name.expect("triggers have names")))
        .collect();
    connection.execute_batch(&drops).expect("triggers can be dropped");
}

/// Every file under a directory, however deep.
pub fn files_under(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files.extend(files_under(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}
