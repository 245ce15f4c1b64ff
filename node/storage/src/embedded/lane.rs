//! Where statements run: on a thread of its own, so that the async runtime never waits for a disk, or inline on the
//! caller, so that a simulator replays exactly, in a file of its own or at the other end of a link.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use domain::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::shared_memory::{Link, SharedMemory};

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
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// One connection and a queue before it.
pub enum Lane {
    Thread(Mutex<Option<mpsc::Sender<Job>>>, Mutex<Option<thread::JoinHandle<()>>>),
    Inline(Mutex<Option<Connection>>),
    Linked(SharedMemory, Arc<dyn Link>),
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

    /// Runs a job on the connection, also if whoever asked has stopped waiting.
    pub async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.run_if(|_| true, QUEUE_MAX, job).await
    }

    /// Runs a job that changes nothing, unless whoever asked has stopped waiting before its turn came, or `waiting_max`
    /// others wait already.
    pub async fn run_if_wanted<T, F>(&self, waiting_max: usize, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.run_if(|answer| !answer.is_closed(), waiting_max, job).await
    }

    async fn run_if<T, F>(
        &self,
        is_wanted: impl FnOnce(&Answer<T>) -> bool + Send + 'static,
        waiting_max: usize,
        job: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Inline(connection) => {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                job(connection.as_mut().ok_or_else(closed)?)
            }
            Self::Linked(memory, link) => {
                link.go().await?;
                let result = memory.run(job);
                link.come_back().await?;
                result
            }
            Self::Thread(queue, _) => {
                let (answer, answered) = oneshot::channel();
                let job: Job = Box::new(move |connection| {
                    if is_wanted(&answer) {
                        // Whoever asked may have stopped waiting.
                        let _ = answer.send(job(connection));
                    }
                });
                let queue = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone()
                    .ok_or_else(closed)?;
                let waiting = queue.max_capacity() - queue.capacity();
                if waiting >= waiting_max || queue.try_send(job).is_err() {
                    return Err(StoreError::Unavailable(
                        "too much waits for the embedded store".to_owned(),
                    ));
                }
                drop(queue);
                answered.await.map_err(|_| closed())?
            }
        }
    }

    /// Finishes what waits and closes the connection.
    pub async fn close(&self) {
        match self {
            Self::Inline(connection) => drop(connection.lock().unwrap_or_else(PoisonError::into_inner).take()),
            // Others go on with it.
            Self::Linked(..) => {}
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A lane whose thread does nothing until the sender is dropped.
    fn blocked() -> (Arc<Lane>, std::sync::mpsc::Sender<()>, impl Future<Output = ()>) {
        let connection = Connection::open_in_memory().expect("memory");
        let lane = Arc::new(Lane::new(Execution::Threads, connection).expect("a thread"));
        let (release, released) = std::sync::mpsc::channel::<()>();
        let first = lane.clone();
        let blocking = tokio::spawn(async move {
            let wait = move |_: &mut Connection| {
                let _ = released.recv();
                Ok(())
            };
            first.run(wait).await.expect("it ends");
        });
        (lane, release, async move { blocking.await.expect("no panic") })
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_left_out_unless_it_must_be_done() {
        let (lane, release, blocking) = blocked();
        let done = Arc::new(AtomicUsize::new(0));
        let add = |amount: usize| {
            let done = done.clone();
            move |_: &mut Connection| {
                done.fetch_add(amount, Ordering::SeqCst);
                Ok(())
            }
        };
        let mut search = Box::pin(lane.run_if_wanted(10, add(1)));
        let mut write = Box::pin(lane.run(add(10)));
        assert!(futures::poll!(&mut search).is_pending() && futures::poll!(&mut write).is_pending());
        drop((search, write));
        drop(release);
        blocking.await;
        lane.run_if_wanted(10, add(100)).await.expect("done");
        assert_eq!(done.load(Ordering::SeqCst), 110);
    }

    #[tokio::test]
    async fn so_many_may_wait_and_no_more() {
        let (lane, release, blocking) = blocked();
        let mut waiting = Vec::new();
        for _ in 0..5 {
            let mut search = Box::pin(lane.run_if_wanted(3, |_| Ok(())));
            let is_pending = futures::poll!(&mut search).is_pending();
            waiting.push((search, is_pending));
        }
        let refused = waiting.iter().filter(|(_, is_pending)| !is_pending).count();
        // The job that blocks has left the queue, or is about to.
        assert!((2..=3).contains(&refused), "{refused}");
        drop(release);
        blocking.await;
        assert!(lane.run_if_wanted(3, |_| Ok(())).await.is_ok());
    }
}
