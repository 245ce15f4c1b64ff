//! What somebody is asked to do while the world goes on.

use std::time::Duration;

use cluster::ClusterHandle;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::World;

/// Something that was asked for.
pub struct Errand<T>(oneshot::Receiver<T>);

/// How far it has come.
pub enum Progress<T> {
    /// It is not done yet.
    UnderWay,
    /// It is done.
    Done(T),
    /// Whoever was asked is gone.
    Lost,
}

impl<T> Errand<T> {
    /// How far it has come by now.
    pub fn progress(&mut self) -> Progress<T> {
        match self.0.try_recv() {
            Ok(value) => Progress::Done(value),
            Err(TryRecvError::Empty) => Progress::UnderWay,
            Err(TryRecvError::Closed) => Progress::Lost,
        }
    }
}

/// The work, and what will come of it. Nobody may wait for that any more.
fn errand<T: Send + 'static>(work: impl Future<Output = T> + Send) -> (impl Future<Output = ()> + Send, Errand<T>) {
    let (done, result) = oneshot::channel();
    let work = async move {
        let _ = done.send(work.await);
    };
    (work, Errand(result))
}

impl World {
    /// Has a node do something; `None` if there is no node.
    pub fn ask<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &self,
        node: u64,
        work: impl FnOnce(ClusterHandle) -> W,
    ) -> Option<Errand<T>> {
        let process = self.hosts.get(&node)?.process.borrow();
        let process = process.as_ref()?;
        let (work, errand) = errand(work(process.cluster()?));
        process.spawn(work);
        Some(errand)
    }

    /// Does something on a node, while the world goes on; `None` if the node died, or it took longer than `limit`.
    pub fn at_node<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &self,
        node: u64,
        limit: Duration,
        work: impl FnOnce(ClusterHandle) -> W,
    ) -> Option<T> {
        let errand = self.ask(node, work)?;
        self.wait_for(limit, errand)
    }

    /// Does something where the clients are, while the world goes on; `None` if it took longer than `limit`.
    pub fn at_clients<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (work, errand) = errand(work);
        self.clients.spawn(work);
        self.wait_for(limit, errand)
    }

    fn wait_for<T>(&self, limit: Duration, mut errand: Errand<T>) -> Option<T> {
        let end = self.now() + limit;
        loop {
            match errand.progress() {
                Progress::Done(value) => return Some(value),
                Progress::Lost => return None,
                Progress::UnderWay if self.now() >= end => return None,
                Progress::UnderWay => self.tick(),
            }
        }
    }
}
