//! The one who writes to the log's disk: takes whatever has queued, makes one synchronized round of it, and only then
//! tells those who wait.

use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use openraft::storage::IOFlushed;
use tokio::sync::oneshot;

use super::closed;
use super::disk::{DiskChange, LogDisk, Slot};
use super::stored::StoredLogId;
use crate::codec;
use crate::execution::Execution;
use crate::lock::lock;
use crate::raft_types::{LogId, TypeConfig};

/// How many requests may wait for the disk; whoever comes then waits in turn.
const QUEUE: usize = 1_024;
/// How many requests one round gathers at most.
const ROUND_REQUESTS_MAX: usize = 256;

/// Who is told when a request is durable, or why it is not.
pub(super) enum Waiter {
    /// The consensus core, of appended entries; and what is to be done before, with the last index that is durable.
    Appended(IOFlushed<TypeConfig>, Box<dyn FnOnce() + Send>),
    /// A task.
    Task(oneshot::Sender<io::Result<()>>),
}

struct Request {
    changes: Vec<DiskChange>,
    waiter: Waiter,
}

/// The queue to the disk.
pub(super) struct Writer {
    disk: Arc<Mutex<Option<Arc<dyn LogDisk>>>>,
    queue: Mutex<Option<mpsc::SyncSender<Request>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(disk: Arc<dyn LogDisk>, execution: Execution) -> io::Result<Self> {
        let (queue, thread) = match execution {
            Execution::Inline => (None, None),
            Execution::Threads => {
                let (sender, receiver) = mpsc::sync_channel(QUEUE);
                let own = disk.clone();
                let run = move || serve(own.as_ref(), &receiver);
                (
                    Some(sender),
                    Some(std::thread::Builder::new().name("raft-log".to_owned()).spawn(run)?),
                )
            }
        };
        Ok(Self {
            disk: Arc::new(Mutex::new(Some(disk))),
            queue: Mutex::new(queue),
            thread: Mutex::new(thread),
        })
    }

    /// Queues changes, or makes them at once if there is no thread.
    pub(super) fn submit(&self, changes: Vec<DiskChange>, waiter: Waiter) -> io::Result<()> {
        let request = Request { changes, waiter };
        let queue = lock(&self.queue).clone();
        match queue {
            Some(queue) => queue.send(request).map_err(|_| closed()),
            None => {
                write_round(self.disk()?.as_ref(), vec![request]);
                Ok(())
            }
        }
    }

    /// Queues changes and waits until they are durable.
    pub(super) async fn write(&self, changes: Vec<DiskChange>) -> io::Result<()> {
        let (sender, receiver) = oneshot::channel();
        self.submit(changes, Waiter::Task(sender))?;
        receiver.await.map_err(|_| closed())?
    }

    /// The disk, for reading.
    pub(super) fn disk(&self) -> io::Result<Arc<dyn LogDisk>> {
        lock(&self.disk).clone().ok_or_else(closed)
    }

    /// Writes what is waiting, and up to where the log is committed; then lets go of the disk.
    pub(super) async fn close(&self, committed: Option<LogId>) {
        if let Some(committed) = committed
            && let Err(error) = self.write(vec![put_committed(&committed)]).await
        {
            tracing::warn!(%error, "the committed position was not saved; it will be found out again");
        }
        drop(lock(&self.queue).take());
        let thread = lock(&self.thread).take();
        let disk = lock(&self.disk).take();
        let Some(thread) = thread else { return drop(disk) };
        let end = move || {
            let ended = thread.join();
            drop(disk);
            ended
        };
        if !matches!(tokio::task::spawn_blocking(end).await, Ok(Ok(()))) {
            tracing::error!("the log's writer ended in a panic");
        }
    }
}

pub(super) fn put_committed(committed: &LogId) -> DiskChange {
    DiskChange::PutSlot {
        slot: Slot::Committed,
        body: codec::encode(&StoredLogId::from(committed)),
    }
}

fn serve(disk: &dyn LogDisk, queue: &mpsc::Receiver<Request>) {
    while let Ok(first) = queue.recv() {
        let mut round = vec![first];
        while round.len() < ROUND_REQUESTS_MAX
            && let Ok(next) = queue.try_recv()
        {
            round.push(next);
        }
        write_round(disk, round);
    }
}

fn write_round(disk: &dyn LogDisk, round: Vec<Request>) {
    let mut changes = Vec::new();
    let mut waiters = Vec::with_capacity(round.len());
    for request in round {
        changes.extend(request.changes);
        waiters.push(request.waiter);
    }
    let written = disk.write(&changes);
    if let Err(error) = &written {
        tracing::error!(%error, "the log cannot be written; this node stops");
    }
    for waiter in waiters {
        let result = written
            .as_ref()
            .copied()
            .map_err(|error| io::Error::new(error.kind(), error.to_string()));
        match waiter {
            Waiter::Appended(flushed, before) => {
                if result.is_ok() {
                    before();
                }
                flushed.io_completed(result);
            }
            // Whoever no longer waits has given up.
            Waiter::Task(sender) => drop(sender.send(result)),
        }
    }
}
