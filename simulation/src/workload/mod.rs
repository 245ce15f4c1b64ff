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
mod verifier;
mod wire;

pub use client::Client;
pub use closing::close;
pub use error::WorkloadError;
pub use shared::{Shared, Target};
pub use wire::{Ask, Heard, Wire, max_age};

use std::sync::Arc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
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

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Registers agents.
    Registrar,
    /// Suspends agents and reactivates them.
    Suspender,
    /// Makes, rotates and revokes credentials.
    Keeper,
    /// Reads the audit log.
    Auditor,
    /// Never stops using one token after the other.
    Steady,
    /// Takes tokens.
    Issuer,
    /// Looks at tokens at all nodes.
    Looker,
    /// Revokes tokens.
    Revoker,
    /// Looks at what is dead.
    Sentinel,
    /// Reads the public keys.
    Verifier,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Registrar,
        Self::Suspender,
        Self::Keeper,
        Self::Auditor,
        Self::Steady,
        Self::Issuer,
        Self::Looker,
        Self::Revoker,
        Self::Sentinel,
        Self::Verifier,
    ];

    /// How many there are.
    fn count(self) -> u64 {
        match self {
            Self::Issuer => ISSUERS,
            Self::Looker => LOOKERS,
            Self::Revoker => REVOKERS,
            Self::Sentinel => SENTINELS,
            _ => 1,
        }
    }

    fn set_to_work(self, caller: Caller, place: u64) -> JoinHandle<()> {
        match self {
            Self::Registrar => tokio::spawn(registrar::run(caller)),
            Self::Suspender => tokio::spawn(suspender::run(caller)),
            Self::Keeper => tokio::spawn(keeper::run(caller)),
            Self::Auditor => tokio::spawn(auditor::run(caller)),
            Self::Steady => tokio::spawn(steady::run(caller)),
            Self::Issuer => tokio::spawn(issuer::run(caller)),
            Self::Looker => tokio::spawn(looker::run(caller)),
            Self::Revoker => tokio::spawn(revoker::run(caller)),
            Self::Sentinel => tokio::spawn(sentinel::run(caller, place)),
            Self::Verifier => tokio::spawn(verifier::run(caller)),
        }
    }
}

/// Clients at work.
pub struct Workload {
    stop: watch::Sender<bool>,
    clients: Vec<JoinHandle<()>>,
}

impl Workload {
    /// Sets all to work but those that are left out. They pause so many times as long as clients of real nodes.
    pub fn start(shared: &Arc<Shared>, random: &Random, stretch: u32, left_out: &[Kind]) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut clients = Vec::new();
        let mut number = 0;
        for kind in Kind::ALL {
            for place in 0..kind.count() {
                // Whoever is left out keeps its number, so that the others draw what they would draw beside it.
                number += 1;
                if !left_out.contains(kind) {
                    let caller = Caller::new(shared.clone(), random.branch(number), stopped.clone());
                    clients.push(kind.set_to_work(caller.stretched(stretch), place));
                }
            }
        }
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
