//! The world: machines with real nodes on them, a network and a database between them, and one time for all. It moves in
//! ticks; in each, what has arrived is opened, and then every machine runs for as long as the tick lasts.
//!
//! Nothing here looks at the real clock, draws real randomness or runs at the same time as anything else: what happens
//! follows from the seed.

mod database;
mod disk;
mod entropy;
mod host;
mod keys;
mod network;
mod peers;
mod power;
mod process;
mod reply;
mod time;
mod trace;
mod watch;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::{ClusterHandle, Founding};
use domain::ports::{Clock as _, Entropy};
use node::app::Machine;
use tokio::runtime::Runtime;

pub use database::{Database, Mood};
pub use disk::Disk;
pub use host::Host;
pub use network::{Network, Place};
pub use time::{Drift, TICK};
pub use trace::Trace;
pub use watch::{Breach, Moved, Watch};
pub use wire::ClientWire;

use self::entropy::SeededEntropy;
use self::keys::{SeededKeyMaker, TakenKeys};
use self::process::{Parts, Process, address};
use self::reply::{Reply, Waiting};
use self::time::{MachineClock, TrueTime};
use self::wire::{FrontAnswer, FrontRequest};
use crate::conduct::Conduct;
use crate::random::Random;
use crate::workload::Client;

/// After how long a process that ended with an error is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// What a world is made of.
pub struct Settings {
    /// How many nodes.
    pub nodes: u64,
    /// How every direction of the network treats what is sent, as long as no fault changes it.
    pub usual: Conduct,
    /// How far the database is from every node.
    pub to_database: Duration,
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
    /// Watches over what the nodes say of themselves.
    pub watch: Watch,
    hosts: BTreeMap<u64, Host>,
    clients: Runtime,
    taken_keys: TakenKeys,
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
        let host = |node_id| (node_id, Host::new(node_id, MachineClock::right(time.clone())));
        Ok(Self {
            network: Network::new(time.clone(), trace.clone(), usual, random.branch(2)),
            database: Database::new(to_database, random.branch(3))?,
            watch: Watch::default(),
            hosts: (1..=nodes).map(host).collect(),
            clients,
            taken_keys: TakenKeys::default(),
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

    /// Does something where the clients are, while the world goes on; `None` if it took longer than `limit`.
    pub fn at_clients<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, mut result) = tokio::sync::oneshot::channel();
        self.clients.spawn(async move {
            // Nobody waits any more if the limit has passed.
            let _ = done.send(work.await);
        });
        self.wait_for(limit, &mut result)
    }

    /// Lets what is spawned run where the clients are.
    pub fn enter_clients(&self) -> tokio::runtime::EnterGuard<'_> {
        self.clients.enter()
    }

    /// Does something on a node, while the world goes on; `None` if the node died, or it took longer than `limit`.
    pub fn at_node<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &self,
        node: u64,
        limit: Duration,
        work: impl FnOnce(ClusterHandle) -> W,
    ) -> Option<T> {
        let (done, mut result) = tokio::sync::oneshot::channel();
        {
            let process = self.hosts.get(&node)?.process.borrow();
            let process = process.as_ref()?;
            let work = work(process.cluster()?);
            process.spawn(async move {
                let _ = done.send(work.await);
            });
        }
        self.wait_for(limit, &mut result)
    }

    /// Has a node begin something, without waiting for it.
    pub fn begin_at_node(&self, node: u64, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(host) = self.hosts.get(&node)
            && let Some(process) = host.process.borrow().as_ref()
        {
            process.spawn(work);
        }
    }

    /// The true time, for who judges.
    pub fn clock(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let time = self.time.clone();
        move || time.now()
    }

    fn wait_for<T>(&self, limit: Duration, result: &mut tokio::sync::oneshot::Receiver<T>) -> Option<T> {
        let end = self.now() + limit;
        loop {
            match result.try_recv() {
                Ok(value) => return Some(value),
                Err(tokio::sync::oneshot::error::TryRecvError::Closed) => return None,
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) if self.now() >= end => return None,
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) => self.tick(),
            }
        }
    }

    fn run(&self, host: &Host) {
        if host.restart_at.get().is_some_and(|at| at <= self.now()) {
            host.restart_at.set(None);
            self.start(host.node_id, Founding::Join);
        }
        if host.paused_at.get().is_some() {
            return;
        }
        let ended = {
            let process = host.process.borrow();
            let Some(process) = process.as_ref() else { return };
            (0..host.ticks.get()).for_each(|_| process.tick());
            process.ended()
        };
        if let Some(ended) = ended {
            self.note(format_args!("node {} ended: {ended:?}", host.node_id));
            self.end(host);
            if ended.is_err() {
                host.restart_at.set(Some(self.now() + RESTART_AFTER));
            }
        }
    }

    /// Starts a node's process, unless it runs.
    pub fn start(&self, node: u64, founding: Founding) {
        let host = self.hosts.get(&node).filter(|host| host.process.borrow().is_none());
        let Some(host) = host else { return };
        let start = host.starts.get() + 1;
        host.starts.set(start);
        host.restart_at.set(None);
        host.power.set(true);
        self.note(format_args!("node {node} starts for the {start}. time"));
        self.watch.moved(self.now(), node, Moved::Started);
        let mut random = self.random.branch(1_000 * node + start);
        let seed = random.draw();
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(random));
        let machine = Machine {
            clock: Arc::new(host.clock.clone()),
            key_maker: Arc::new(SeededKeyMaker::new(entropy.clone(), self.taken_keys.clone())),
            entropy,
        };
        let parts = Parts {
            node_id: node,
            machine,
            stores: self.database.stores(),
            network: self.network.clone(),
            files: host.disk.mount(),
            founding,
            seed,
        };
        match Process::start(parts) {
            Ok(process) => drop(host.process.replace(Some(process))),
            Err(error) => self.watch.breach(
                self.now(),
                "world",
                format!("node {node} could not be started: {error}"),
            ),
        }
    }

    /// Ends a process without warning; its machine goes on, and tells whoever waits for an answer of it.
    pub fn kill(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            self.note(format_args!("node {node} is killed"));
            self.end(host);
        }
    }

    /// Takes a machine's power away.
    pub fn cut_power(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            self.note(format_args!("node {node} loses power"));
            host.power.set(false);
            self.end(host);
            let start = host.starts.get();
            host.disk
                .lose_power(&mut self.random.branch(1_000 * node + start).branch(1));
        }
    }

    fn end(&self, host: &Host) {
        self.watch.moved(self.now(), host.node_id, Moved::Down);
        host.paused_at.set(None);
        host.restart_at.set(None);
        host.backlog.borrow_mut().clear();
        // What is dropped now must not get the chance to end well.
        host.disk.process_ends();
        drop(host.process.replace(None));
    }

    /// Asks a process to stop.
    pub fn stop(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            self.note(format_args!("node {node} is asked to stop"));
            if let Some(process) = host.process.borrow_mut().as_mut() {
                process.stop();
            }
        }
    }

    /// Makes a process do nothing.
    pub fn pause(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node).filter(|host| host.is_running()) {
            self.note(format_args!("node {node} is paused"));
            self.watch.moved(self.now(), node, Moved::Paused);
            host.paused_at.set(Some(host.clock.monotonic()));
        }
    }

    /// Lets it go on.
    pub fn resume(&self, node: u64) {
        let Some(host) = self.hosts.get(&node) else { return };
        let Some(paused_at) = host.paused_at.take() else { return };
        self.note(format_args!("node {node} goes on"));
        let process = host.process.borrow();
        let Some(process) = process.as_ref() else { return };
        // Timers know whole ticks only.
        let slept_ms = (host.clock.monotonic() - paused_at).as_millis();
        process.skip(Duration::from_millis(u64::try_from(slept_ms).unwrap_or(u64::MAX)));
        for work in host.backlog.borrow_mut().drain(..) {
            work(process);
        }
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

    /// Founds the cluster: the first node alone, to which the others are added. Returns the administrator.
    pub fn found(&self, limit: Duration) -> Result<Client, WorldError> {
        let mut nodes = self.hosts.keys().copied();
        let Some(first) = nodes.next() else {
            return Err(WorldError::NotFounded("there are no machines"));
        };
        self.start(first, Founding::Alone);
        if !self.run_until(limit, |world| world.is_serving(first)) {
            return Err(WorldError::NotFounded("the first node does not serve"));
        }
        let admin = self.hosts[&first].process.borrow().as_ref().and_then(Process::admin);
        let admin = admin.ok_or(WorldError::NotFounded("there is no administrator"))?;
        for node in nodes {
            self.start(node, Founding::Join);
            self.run_until(limit, |world| world.cluster(node).is_some());
            let joining = cluster::Joining {
                node_id: node,
                address: address(node),
                region: String::new(),
                wants_vote: true,
                known_format: Some(cluster::Formats::default().known()),
            };
            let add = |cluster: ClusterHandle| async move { cluster.add_member(joining).await };
            match self.at_node(first, limit, add) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Err(WorldError::NotAdded(error)),
                None => return Err(WorldError::NotFounded("a node could not be added in time")),
            }
        }
        let all_vote = |world: &Self| {
            let members = world
                .cluster(first)
                .map(|cluster| cluster.members())
                .unwrap_or_default();
            members.iter().filter(|member| member.is_voter).count() == world.hosts.len()
                && world.hosts.keys().all(|node| world.is_serving(*node))
        };
        if !self.run_until(limit, all_vote) {
            return Err(WorldError::NotFounded("not every node came to vote and serve"));
        }
        Ok(admin)
    }

    /// A call of another node has arrived.
    fn take_call(&self, (from, node): (u64, u64), request: Bytes, waiting: Waiting<Vec<u8>>) {
        let Some((host, reply)) = self.reply((node, Place::Node(from)), waiting) else {
            return;
        };
        if !host.has_process_that(|process| process.cluster().is_some()) {
            reply.refuse();
            return;
        }
        host.hand(move |process| {
            if let Some(cluster) = process.cluster() {
                process.spawn(async move { reply.send(cluster.answer_peer(&request).await) });
            }
        });
    }

    /// A client's request has arrived.
    fn take_request(&self, node: u64, request: FrontRequest, waiting: Waiting<FrontAnswer>) {
        let Some((host, reply)) = self.reply((node, Place::Clients), waiting) else {
            return;
        };
        if !host.has_process_that(Process::is_serving) {
            reply.refuse();
            return;
        }
        host.hand(move |process| {
            process.answer(request, move |answer| reply.send(answer));
        });
    }

    /// How an answer gets back from a machine; `None` if the machine is off, and nobody will hear of it.
    fn reply<T: Send>(&self, (node, to): (u64, Place), waiting: Waiting<T>) -> Option<(&Host, Reply<T>)> {
        let host = self.hosts.get(&node).filter(|host| host.power.is_on())?;
        let way = (Place::Node(node), to);
        let reply = Reply::new(self.network.clone(), way, host.power.clone(), waiting);
        Some((host, reply))
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
