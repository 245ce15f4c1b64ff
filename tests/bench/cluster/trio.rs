//! Three nodes that are processes of their own, started with the configurations that `agentidp dev --nodes 3` makes,
//! with or without distance between them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use e2e::process::Process;
use e2e::{Backend, Client, Cluster, eventually, ports};
use serde_json::Value;

use super::relay::Relay;

/// What tells how a node is made.
struct Terms {
    /// Where it listens to the others, and where they believe that it does.
    listen: SocketAddr,
    advertise: SocketAddr,
    /// Far apart, a heartbeat takes longer than nodes next door wait for it.
    is_far: bool,
}

/// Three nodes. Killed, and their data removed, when dropped.
pub struct Trio {
    processes: Vec<Process>,
    terms: Vec<Terms>,
    /// Between the nodes, if they are far apart.
    _relays: Vec<Relay>,
    /// What made the nodes' folders. It has stopped.
    origin: Cluster,
}

impl Trio {
    /// Has a development cluster make itself, stops it, and starts its nodes anew, with so much of a round trip between
    /// them.
    pub async fn start(store: Backend, round_trip: Duration) -> Self {
        let mut origin = Cluster::start(store).await;
        origin.stop().await;
        let is_far = !round_trip.is_zero();
        let terms: Vec<Terms> = peers(&origin)
            .into_iter()
            .map(|advertise| Terms {
                listen: if is_far { ports::free() } else { advertise },
                advertise,
                is_far,
            })
            .collect();
        // The members know each other by the addresses where the relays are.
        let far = terms.iter().filter(|terms| terms.is_far);
        let relays = far.map(|terms| Relay::start(terms.advertise, terms.listen, round_trip / 2));
        let mut trio = Self {
            _relays: relays.collect(),
            processes: Vec::new(),
            terms,
            origin,
        };
        for node_id in 1..=3 {
            let process = trio.launch(node_id);
            trio.processes.push(process);
        }
        for node_id in 1..=3 {
            trio.ready(node_id).await;
        }
        trio
    }

    /// Waits until a node serves.
    pub async fn ready(&self, node_id: u64) {
        eventually("a node to be ready", async || {
            let asked = self.origin.api(node_id).get("/health/ready").try_send().await;
            asked.is_ok_and(|answer| answer.status == 200).then_some(())
        })
        .await;
    }

    /// Who leads, as soon as a node knows.
    pub async fn leader(&self, asked: u64) -> u64 {
        eventually("a leader", async || self.origin.leader(asked).await).await
    }

    /// Those who do not lead.
    pub async fn followers(&self) -> Vec<u64> {
        let leader = self.leader(1).await;
        (1..=3).filter(|node_id| *node_id != leader).collect()
    }

    /// Where a node serves agents.
    pub fn address(&self, node_id: u64) -> SocketAddr {
        self.origin.address(node_id)
    }

    /// All addresses, by the nodes' numbers.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        (1..=3).map(|node_id| self.address(node_id)).collect()
    }

    /// A node's process.
    pub fn pid(&self, node_id: u64) -> u32 {
        self.processes[index(node_id)].id()
    }

    /// Where a node has its snapshots.
    pub fn snapshots(&self, node_id: u64) -> PathBuf {
        self.folder(node_id).join("raft/snapshots")
    }

    /// Ends a node as a crash would.
    pub fn kill(&mut self, node_id: u64) {
        self.processes[index(node_id)].kill();
    }

    /// Starts a node that was ended.
    pub fn start_again(&mut self, node_id: u64) {
        self.processes[index(node_id)] = self.launch(node_id);
    }

    /// New clients, with a secret each.
    pub async fn clients(&self, count: usize) -> Vec<Client> {
        let session = self.origin.session(1, e2e::node::ALL_SCOPES).await;
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(session.new_client().await);
        }
        clients
    }

    /// Asks a node for a snapshot of its state; it is written in the background.
    pub async fn snapshot(&self, node_id: u64) {
        let asked = self.origin.operator(node_id).post("/cluster/snapshot");
        let answer = asked.bearer(&self.origin.operator_token()).send().await;
        assert!((200..300).contains(&answer.status), "{}", answer.text());
    }

    /// What a node counts, by the name that its line begins with.
    pub async fn metric(&self, node_id: u64, name: &str) -> Option<f64> {
        let text = self.origin.operator(node_id).get("/metrics").send().await.text();
        let start = format!("{name} ");
        text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())
    }

    fn folder(&self, node_id: u64) -> PathBuf {
        self.origin.place().data_dir().join(format!("node-{node_id}"))
    }

    fn launch(&self, node_id: u64) -> Process {
        let log = self.origin.place().scratch.path(format!("bench-{node_id}.log"));
        Process::start(&mut self.command(node_id), &log).0
    }

    fn command(&self, node_id: u64) -> Command {
        let config = self.folder(node_id).join("agentidp.toml").display().to_string();
        let terms = &self.terms[index(node_id)];
        let mut command = self.origin.place().command(&["serve", "--config", &config]);
        command
            .env("AGENTIDP_CLUSTER__LISTEN", terms.listen.to_string())
            .env("AGENTIDP_CLUSTER__ADVERTISE", terms.advertise.to_string());
        if terms.is_far {
            command
                .env("AGENTIDP_CLUSTER__HEARTBEAT", "300ms")
                .env("AGENTIDP_CLUSTER__ELECTION_TIMEOUT", "1500ms-3s");
        }
        command
    }
}

fn index(node_id: u64) -> usize {
    usize::try_from(node_id - 1).expect("there are three nodes")
}

/// Where the nodes know each other to be.
fn peers(origin: &Cluster) -> Vec<SocketAddr> {
    let path = origin.place().data_dir().join("cluster.json");
    let text = std::fs::read_to_string(path).expect("a development cluster remembers its nodes");
    let memory: Value = serde_json::from_str(&text).expect("JSON");
    let peers = memory["peers"].as_array().expect("a list");
    let address = |peer: &Value| peer.as_str().expect("a text").parse().expect("an address");
    peers.iter().map(address).collect()
}
