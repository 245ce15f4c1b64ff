//! A database in memory that several nodes share, each over a way of its own that may be slow or broken: what a simulator
//! has in place of a server and the network before it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::ports::StoreError;
use rusqlite::Connection;

use super::lane::Lane;
use super::migrations::migrate;
use super::store::{EmbeddedStore, prepare};

/// What errors call it.
const NAME: &str = "the database in memory";

/// The way to a database and back, once for each piece of work.
#[async_trait]
pub trait Link: Send + Sync {
    /// Waits until the work would have arrived. After an error nothing is done.
    async fn go(&self) -> Result<(), StoreError>;

    /// Waits until the answer would have come back. After an error the work is done all the same, and nobody is told.
    async fn come_back(&self) -> Result<(), StoreError>;
}

/// The database. Copies are the same one.
#[derive(Clone)]
pub struct SharedMemory(Arc<Mutex<Connection>>);

impl SharedMemory {
    /// An empty one, with the schema of this version.
    pub fn new() -> Result<Self, StoreError> {
        let path = Path::new(NAME);
        let mut connection = prepare(Connection::open_in_memory(), path)?;
        migrate(&mut connection, path)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// A store over it, at the other end of a link.
    pub fn store(&self, link: Arc<dyn Link>) -> EmbeddedStore {
        EmbeddedStore::over(Lane::Linked(self.clone(), link))
    }

    /// One piece of work, which nothing interrupts.
    pub(super) fn run<T>(&self, job: impl FnOnce(&mut Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        job(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    /// Breaks on the way there (1) or back (2).
    #[derive(Default)]
    struct Breaking(AtomicU8);

    impl Breaking {
        fn pass(&self, way: u8) -> Result<(), StoreError> {
            match self.0.load(Ordering::SeqCst) == way {
                true => Err(StoreError::Unavailable("cut".to_owned())),
                false => Ok(()),
            }
        }
    }

    #[async_trait]
    impl Link for Breaking {
        async fn go(&self) -> Result<(), StoreError> {
            self.pass(1)
        }

        async fn come_back(&self) -> Result<(), StoreError> {
            self.pass(2)
        }
    }

    #[tokio::test]
    async fn what_breaks_on_the_way_there_is_not_done_and_what_breaks_on_the_way_back_is() {
        let memory = SharedMemory::new().expect("memory");
        let link = Arc::new(Breaking::default());
        let store = memory.store(link.clone());
        let mark = |number: u32| {
            let set = format!("PRAGMA user_version = {number}");
            store.write(move |transaction| {
                transaction
                    .execute_batch(&set)
                    .map_err(super::super::error::store_error)
            })
        };
        let marked = || {
            memory.run(|connection| {
                let read = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
                read.map_err(super::super::error::store_error)
            })
        };
        let before = marked().expect("read");
        link.0.store(1, Ordering::SeqCst);
        assert!(mark(before + 1).await.is_err_and(|error| error.is_transient()));
        assert_eq!(marked().expect("read"), before);
        link.0.store(2, Ordering::SeqCst);
        assert!(mark(before + 1).await.is_err_and(|error| error.is_transient()));
        assert_eq!(marked().expect("read"), before + 1);
    }

    #[tokio::test]
    async fn nodes_that_share_it_see_the_same_rows() {
        let memory = SharedMemory::new().expect("memory");
        let stores = [0, 1].map(|_| memory.store(Arc::new(Breaking::default())));
        let make = |transaction: &rusqlite::Transaction<'_>| {
            let made = transaction.execute_batch("CREATE TABLE seen (number INTEGER); INSERT INTO seen VALUES (7)");
            made.map_err(super::super::error::store_error)
        };
        stores[0].write(make).await.expect("written");
        stores[0].close().await;
        let read = |connection: &Connection| {
            let found = connection.query_row("SELECT number FROM seen", [], |row| row.get::<_, u32>(0));
            found.map_err(super::super::error::store_error)
        };
        assert_eq!(
            stores[1].read(read).await.expect("read"),
            7,
            "closing one leaves it to the others"
        );
    }
}
