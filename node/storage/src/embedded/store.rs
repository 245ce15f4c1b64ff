//! Opening, pinging and closing the file.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::ports::StoreError;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::time::Instant;

use super::error::{refused, store_error};
use super::lane::{Execution, Lane};
use super::migrations::{migrate, opened, steps_done};
use crate::health::PoolState;
use crate::search;

/// Connections that read what takes microseconds; the one that writes and the one that searches come on top.
const READERS: usize = 2;
/// How many searches may wait. They go through many rows, and nobody's authentication may queue behind them.
const SEARCHES_MAX: usize = 64;
/// How long a connection waits for another process that has the file locked, for instance a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Files up to this size are checked page by page when they are opened, which takes about a second.
const CHECKED_BYTES_MAX: u64 = 256 << 20;
/// How long the write-ahead log grows before its pages move into the file: 16 MiB. Pages that are written again and again
/// meanwhile move once, and a start after a crash has no more than this to read.
const LOG_PAGES_MAX: u32 = 4_096;
/// The header of a SQLite file.
const HEADER_BYTES: usize = 100;
/// Statements that each connection keeps prepared.
const STATEMENTS_MAX: usize = 64;

/// The embedded store.
pub struct EmbeddedStore {
    writer: Lane,
    readers: Vec<Lane>,
    searcher: Option<Lane>,
    turn: AtomicUsize,
}

impl EmbeddedStore {
    /// Opens the file, or makes it, readable by its owner only. A file that is damaged, foreign or too new is refused
    /// with its name and the way out.
    pub fn open(path: &Path, execution: Execution) -> Result<Self, StoreError> {
        let created = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path);
        let size = created
            .and_then(|file| file.metadata())
            .map_err(|error| refused(path, error))?
            .len();
        check_length(path, size)?;
        let mut writer = connect(path)?;
        // Before anything is written: a file that is not ours stays as it is.
        steps_done(&writer, path)?;
        writer
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(|error| opened(path, error))?;
        // FULL: the write-ahead log is fsynced at every commit. What has been answered survives a loss of power.
        writer
            .pragma_update(None, "synchronous", "FULL")
            .map_err(|error| opened(path, error))?;
        writer
            .pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)
            .map_err(|error| opened(path, error))?;
        if size > 0 && size <= CHECKED_BYTES_MAX {
            check_pages(&writer, path)?;
        }
        migrate(&mut writer, path)?;
        let readers = if execution == Execution::Inline { 0 } else { READERS };
        let readers = (0..readers)
            .map(|_| Lane::new(execution, read_only(path)?))
            .collect::<Result<_, _>>()?;
        let searcher = match execution {
            Execution::Inline => None,
            Execution::Threads => Some(Lane::new(execution, read_only(path)?)?),
        };
        Ok(Self {
            writer: Lane::new(execution, writer)?,
            readers,
            searcher,
            turn: AtomicUsize::new(0),
        })
    }

    /// Over one lane for everything.
    pub(super) fn over(lane: Lane) -> Self {
        Self {
            writer: lane,
            readers: Vec::new(),
            searcher: None,
            turn: AtomicUsize::new(0),
        }
    }

    /// How long it takes to read from the file.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let started = Instant::now();
        self.read(|connection| {
            connection
                .query_row("SELECT 1 FROM sqlite_schema", [], |_| Ok(()))
                .map_err(store_error)
        })
        .await?;
        Ok(started.elapsed())
    }

    /// There is no pool; nobody waits for a connection longer than for the statement before.
    pub fn pool_state(&self) -> PoolState {
        PoolState::default()
    }

    /// Finishes what is under way, moves the write-ahead log into the file and closes it.
    pub async fn close(&self) {
        for reader in self.readers.iter().chain(&self.searcher) {
            reader.close().await;
        }
        let checkpoint = |connection: &mut Connection| {
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .map_err(store_error)
        };
        if let Err(error) = self.writer.run(checkpoint).await {
            tracing::debug!(%error, "the write-ahead log stays beside the file; the next start reads it");
        }
        self.writer.close().await;
    }

    /// Runs queries that see one instant.
    pub(super) async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let lane = match self.readers.len() {
            0 => &self.writer,
            count => &self.readers[self.turn.fetch_add(1, Ordering::Relaxed) % count],
        };
        lane.run(move |connection| job(&*connection.transaction().map_err(store_error)?))
            .await
    }

    /// Runs queries that go through many rows and see one instant. They wait for each other and hold up nobody else; a
    /// search whose caller is gone is left out.
    pub(super) async fn search<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let in_transaction = move |connection: &mut Connection| job(&*connection.transaction().map_err(store_error)?);
        let lane = self.searcher.as_ref().unwrap_or(&self.writer);
        lane.run_if_wanted(SEARCHES_MAX, in_transaction).await
    }

    /// Runs statements in one transaction, which is durable when this returns.
    pub(super) async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let in_transaction = move |connection: &mut Connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(store_error)?;
            let result = job(&transaction)?;
            transaction.commit().map_err(store_error)?;
            Ok(result)
        };
        self.writer.run(in_transaction).await
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    prepare(Connection::open_with_flags(path, flags), path)
}

fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| opened(path, error))?;
    Ok(connection)
}

pub(super) fn prepare(connection: rusqlite::Result<Connection>, path: &Path) -> Result<Connection, StoreError> {
    let connection = connection.map_err(|error| opened(path, error))?;
    let set_up = |connection: &Connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // SQLite's own lower() knows ASCII only; PostgreSQL's does not stop there, and both must find the same.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_scalar_function("fold", 1, flags, |context| {
            Ok(search::folded(&context.get::<String>(0)?))
        })
    };
    set_up(&connection).map_err(|error| opened(path, error))?;
    Ok(connection)
}

/// SQLite takes what is missing at the end of the last page for zeros, and a file of one byte for a new one. Both are what
/// a copy that was cut off looks like; unless there is a write-ahead log, which may hold what the file still lacks.
fn check_length(path: &Path, size: u64) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if size == 0 || fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return Ok(());
    }
    let mut header = [0; HEADER_BYTES];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    // Two bytes, in which 1 stands for 65536.
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let is_whole = read.is_ok() && (!page_bytes.is_power_of_two() || size.is_multiple_of(page_bytes));
    if is_whole {
        Ok(())
    } else {
        Err(refused(path, "the file is not whole; its end is missing"))
    }
}

fn check_pages(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| opened(path, error))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(refused(path, format!("the file is damaged: {verdict}")))
    }
}
