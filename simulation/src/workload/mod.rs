//! The clients: many at once, each with a task of its own, all writing down what they ask and hear.

mod auditor;
mod caller;
pub mod client;
mod closing;
mod error;
mod issuer;
mod keeper;
mod looker;
mod population;
mod registrar;
mod revoker;
mod sentinel;
mod shared;
mod steady;
mod suspender;
mod wire;

pub use client::Client;
pub use closing::close;
pub use error::WorkloadError;
pub use shared::{Shared, Target};
pub use wire::{Ask, Heard, Wire};

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::caller::Caller;
use crate::random::Random;

/// How many of each kind that there are several of.
const ISSUERS: u64 = 2;
const LOOKERS: u64 = 4;
const REVOKERS: u64 = 2;
/// One for each node that a cluster has at once, at most.
const SENTINELS: u64 = 6;

/// Clients at work.
pub struct Workload {
    stop: watch::Sender<bool>,
    clients: Vec<JoinHandle<()>>,
}

impl Workload {
    /// Sets all to work. They pause so many times as long as clients of real nodes.
    pub fn start(shared: &Arc<Shared>, random: &Random, stretch: u32) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut clients = Vec::new();
        let mut number = 0;
        let mut caller = || {
            number += 1;
            Caller::new(shared.clone(), random.branch(number), stopped.clone()).stretched(stretch)
        };
        clients.push(tokio::spawn(registrar::run(caller())));
        clients.push(tokio::spawn(suspender::run(caller())));
        clients.push(tokio::spawn(keeper::run(caller())));
        clients.push(tokio::spawn(auditor::run(caller())));
        clients.push(tokio::spawn(steady::run(caller())));
        clients.extend((0..ISSUERS).map(|_| tokio::spawn(issuer::run(caller()))));
        clients.extend((0..LOOKERS).map(|_| tokio::spawn(looker::run(caller()))));
        clients.extend((0..REVOKERS).map(|_| tokio::spawn(revoker::run(caller()))));
        clients.extend((0..SENTINELS).map(|place| tokio::spawn(sentinel::run(caller(), place))));
        Self { stop, clients }
    }

    /// Lets every client finish what it is at, and waits until all have.
    pub async fn stop(mut self) -> Result<(), WorkloadError> {
        let _ = self.stop.send(true);
        for client in std::mem::take(&mut self.clients) {
            client
                .await
                .map_err(|error| WorkloadError::new(format!("a client of the workload failed: {error}")))?;
        }
        Ok(())
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        self.clients.iter().for_each(JoinHandle::abort);
    }
}
