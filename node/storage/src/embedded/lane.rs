//! Where statements run: on a thread of its own, so that the async runtime never waits for a disk, or inline on the
//! caller, so that a simulator replays exactly.

use std::sync::{Mutex, PoisonError};
use std::thread;

use domain::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

/// How many jobs may wait for one connection; beyond, callers are refused.
const QUEUE_MAX: usize = 1024;

/// Where the store does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// On threads of the store's own.
    Threads,
    /// On whoever calls.
    Inline,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// One connection and a queue before it.
pub enum Lane {
    Thread(Mutex<Option<mpsc::Sender<Job>>>, Mutex<Option<thread::JoinHandle<()>>>),
    Inline(Mutex<Option<Connection>>),
}

impl Lane {
    /// Takes a connection into service.
    pub fn new(execution: Execution, mut connection: Connection) -> Result<Self, StoreError> {
        if execution == Execution::Inline {
            return Ok(Self::Inline(Mutex::new(Some(connection))));
        }
        let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE_MAX);
        let work = move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        };
        let spawned = thread::Builder::new().name("embedded-store".to_owned()).spawn(work);
        let thread = spawned.map_err(|error| StoreError::Unavailable(format!("no thread for the store: {error}")))?;
        Ok(Self::Thread(Mutex::new(Some(queue)), Mutex::new(Some(thread))))
    }

    /// Runs a job on the connection.
    pub async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Inline(connection) => {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                job(connection.as_mut().ok_or_else(closed)?)
            }
            Self::Thread(queue, _) => {
                let (answer, answered) = oneshot::channel();
                let job: Job = Box::new(move |connection| {
                    // Whoever asked may have stopped waiting; the work is done all the same.
                    let _ = answer.send(job(connection));
                });
                let queue = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone()
                    .ok_or_else(closed)?;
                queue
                    .try_send(job)
                    .map_err(|_| StoreError::Unavailable("too much waits for the embedded store".to_owned()))?;
                drop(queue);
                answered.await.map_err(|_| closed())?
            }
        }
    }

    /// Finishes what waits and closes the connection.
    pub async fn close(&self) {
        match self {
            Self::Inline(connection) => drop(connection.lock().unwrap_or_else(PoisonError::into_inner).take()),
            Self::Thread(queue, thread) => {
                drop(queue.lock().unwrap_or_else(PoisonError::into_inner).take());
                let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(thread) = thread {
                    let _ = tokio::task::spawn_blocking(move || thread.join()).await;
                }
            }
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the embedded store is closed".to_owned())
}
