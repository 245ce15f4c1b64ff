//! The world: machines with real nodes on them, a network and a database between them, and one time for all. It moves in
//! ticks; in each, what has arrived is opened, and then every machine runs for as long as the tick lasts.
//!
//! Nothing here looks at the real clock, draws real randomness or runs at the same time as anything else: what happens
//! follows from the seed.

mod arriving;
mod database;
mod disk;
mod elections;
mod entropy;
mod errand;
mod founding;
mod host;
mod keys;
mod majority;
mod network;
mod node_settings;
mod operating;
mod peers;
mod power;
mod process;
mod processes;
mod reply;
mod ring_watch;
mod time;
mod trace;
mod watch;
mod wire;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use cluster::ClusterHandle;
use tokio::runtime::Runtime;

pub use database::{Database, Mood};
pub use disk::Disk;
pub use entropy::SeededEntropy;
pub use errand::{Errand, Progress};
pub use host::Host;
pub use network::{Network, Place};
pub use node_settings::NodeSettings;
pub use process::Ended;
pub use time::{Drift, TICK};
pub use trace::{Closeup, Message, Trace};
pub use watch::{Breach, Moved, Watch};
pub use wire::ClientWire;

use self::keys::TakenKeys;
use self::majority::MajorityWatch;
use self::process::Process;
use self::ring_watch::RingWatch;
use self::time::{MachineClock, TrueTime};
use crate::conduct::Conduct;
use crate::history::Recorder;
use crate::random::Random;

/// What a world is made of.
pub struct Settings {
    /// How many nodes.
    pub nodes: u64,
    /// How every direction of the network treats what is sent, as long as no fault changes it.
    pub usual: Conduct,
    /// How far the database is from every node.
    pub to_database: Duration,
    /// What the configuration of every node says at first.
    pub configured: NodeSettings,
    /// Where the trace is written, besides.
    pub trace: Trace,
    /// Decides everything.
    pub random: Random,
}

/// The world.
pub struct World {
    time: TrueTime,
    /// Notes what happens.
    pub trace: Trace,
    /// Between all.
    pub network: Network,
    /// For all.
    pub database: Database,
    /// Where calls are noted.
    pub recorder: Recorder,
    /// Watches over what the nodes say of themselves.
    pub watch: Watch,
    majority: MajorityWatch,
    ring: RingWatch,
    hosts: BTreeMap<u64, Host>,
    clients: Runtime,
    taken_keys: TakenKeys,
    /// Which node the operator works at.
    operated: Cell<Option<u64>>,
    random: Random,
}

impl World {
    /// Machines that run nothing yet.
    pub fn new(settings: Settings) -> Result<Self, WorldError> {
        let time = TrueTime::default();
        let Settings {
            nodes,
            usual,
            to_database,
            configured,
            trace,
            random,
        } = settings;
        let clients = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .rng_seed(tokio::runtime::RngSeed::from_bytes(
                &random.branch(1).draw().to_le_bytes(),
            ))
            .build()?;
        let host = |node_id| {
            let clock = MachineClock::right(time.clone());
            (node_id, Host::new(node_id, clock, configured))
        };
        let recorder = {
            let time = time.clone();
            Recorder::by(move || time.now())
        };
        Ok(Self {
            recorder,
            network: Network::new(time.clone(), trace.clone(), usual, random.branch(2)),
            database: Database::new(to_database, random.branch(3))?,
            watch: Watch::default(),
            majority: MajorityWatch::default(),
            ring: RingWatch::default(),
            hosts: (1..=nodes).map(host).collect(),
            clients,
            taken_keys: TakenKeys::default(),
            operated: Cell::default(),
            random,
            trace,
            time,
        })
    }

    /// Since the world began.
    pub fn now(&self) -> Duration {
        self.time.now()
    }

    /// Notes an event.
    pub fn note(&self, event: std::fmt::Arguments<'_>) {
        self.trace.note(self.now(), event);
    }

    /// All machines, in order.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values()
    }

    /// A machine.
    pub fn host(&self, node: u64) -> Option<&Host> {
        self.hosts.get(&node)
    }

    /// One tick.
    pub fn tick(&self) {
        self.time.advance();
        for host in self.hosts.values() {
            host.ticks.set(host.clock.advance());
        }
        for open in self.network.arrived() {
            open(self);
        }
        for host in self.hosts.values() {
            self.run(host);
        }
        self.clients.block_on(async { tokio::time::sleep(TICK).await });
        self.watch.look(self);
        self.majority.look(self);
        self.ring.look(self);
    }

    /// Ticks until something holds, for so long at most; whether it came to hold.
    pub fn run_until(&self, limit: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.now() + limit;
        while !holds(self) {
            if self.now() >= end {
                return false;
            }
            self.tick();
        }
        true
    }

    /// Ticks for so long.
    pub fn run_for(&self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Lets what is spawned run where the clients are.
    pub fn enter_clients(&self) -> tokio::runtime::EnterGuard<'_> {
        self.clients.enter()
    }

    /// A node's view of the cluster, while its process goes on.
    pub fn cluster(&self, node: u64) -> Option<ClusterHandle> {
        let host = self.hosts.get(&node).filter(|host| host.is_running())?;
        host.process.borrow().as_ref().and_then(Process::cluster)
    }

    /// Whether a node serves clients.
    pub fn is_serving(&self, node: u64) -> bool {
        let host = self.hosts.get(&node).filter(|host| host.is_running());
        host.is_some_and(|host| host.has_process_that(Process::is_serving))
    }
}

/// Why a world can't be made.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No runtime.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
    /// No database.
    #[error("no database: {0}")]
    Database(#[from] domain::ports::StoreError),
    /// The cluster does not come to be.
    #[error("the cluster was not founded: {0}")]
    NotFounded(&'static str),
    /// A node can't be added.
    #[error("a node can't be added: {0}")]
    NotAdded(#[from] cluster::ClusterError),
}
