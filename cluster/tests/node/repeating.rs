//! A cluster in one thread whose randomness is seeded takes the same steps in every run: what a simulator stands on.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use cluster::{
    ClusterConfig, ClusterHandle, ClusterNode, ClusterPorts, Execution, Founding, Joining, Peer, Role, Transport,
    TransportError, seed_elections,
};
use domain::ports::{Entropy, Replication as _};
use tokio::runtime::{Builder, RngSeed};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::memory::MemoryFiles;
use crate::support::{bootstrap, config, ports, revoke_token};

/// How often the members are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a caller waits between two revocations.
const REVOKE_EVERY: Duration = Duration::from_millis(250);
/// The member that follows without a vote.
const LEARNER: u64 = 4;

/// Random numbers that follow from a seed.
struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            let mixed = (next ^ (next >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 29)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// What happened, in order, with the time.
struct Trace {
    began: Instant,
    lines: Mutex<Vec<String>>,
}

impl Trace {
    fn note(&self, what: &str) {
        let at = self.began.elapsed().as_micros();
        self.lines.lock().unwrap().push(format!("{at:>9} {what}"));
    }
}

/// Carries messages between the members that run, each pair with a delay of its own.
struct Wire {
    members: Mutex<BTreeMap<u64, ClusterHandle>>,
    trace: Arc<Trace>,
}

/// The wire's end at one member.
struct End(u64, Arc<Wire>);

#[async_trait]
impl Transport for End {
    async fn call(&self, peer: &Peer, request: Vec<u8>, deadline: Duration) -> Result<Vec<u8>, TransportError> {
        let (from, to) = (self.0, peer.node_id);
        let delay = Duration::from_millis(1 + (from * 3 + to * 5) % 7);
        let call = format!("{from} asks {to} {:016x}", digest(&request));
        self.1.trace.note(&call);
        sleep(delay).await;
        let handle = self.1.members.lock().unwrap().get(&to).cloned();
        let Some(handle) = handle else {
            let reason = "it does not run".to_owned();
            return Err(TransportError::Unreachable { node_id: to, reason });
        };
        let Ok(answer) = timeout(deadline, handle.answer_peer(&request)).await else {
            let reason = "too late".to_owned();
            return Err(TransportError::Interrupted { node_id: to, reason });
        };
        sleep(delay).await;
        self.1.trace.note(&format!("{call}: {:016x}", digest(&answer)));
        Ok(answer)
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

struct World {
    seed: u64,
    /// How often a member was started: each start is told from the others by what it draws.
    starts: u64,
    wire: Arc<Wire>,
    disks: BTreeMap<u64, Arc<MemoryFiles>>,
    nodes: BTreeMap<u64, ClusterNode>,
}

impl World {
    fn new(seed: u64) -> Self {
        let trace = Trace {
            began: Instant::now(),
            lines: Mutex::default(),
        };
        let wire = Wire {
            members: Mutex::default(),
            trace: Arc::new(trace),
        };
        Self {
            seed,
            starts: 0,
            wire: Arc::new(wire),
            disks: BTreeMap::new(),
            nodes: BTreeMap::new(),
        }
    }

    /// Starts a member on its disk, and a caller that revokes one token after the other there.
    async fn start(&mut self, node_id: u64, founding: Founding) {
        self.starts += 1;
        let config = ClusterConfig {
            node_id,
            founding,
            address: format!("node-{node_id}"),
            wants_vote: node_id != LEARNER,
            snapshot_every: 20,
            entries_kept: 5,
            execution: Execution::Inline,
            ..config(Path::new("/memory"))
        };
        let ports = ClusterPorts {
            entropy: Arc::new(Seeded(AtomicU64::new(self.seed << 16 | self.starts << 8 | node_id))),
            transport: Arc::new(End(node_id, self.wire.clone())),
            files: self.disks.entry(node_id).or_default().clone(),
            ..ports()
        };
        let node = ClusterNode::open(config, ports).await.unwrap();
        let handle = node.handle();
        self.wire.members.lock().unwrap().insert(node_id, handle.clone());
        if founding == Founding::Alone {
            node.ready().await.unwrap();
            handle.bootstrap(bootstrap()).await.unwrap();
        }
        tokio::spawn(keep_revoking(node_id, handle, self.wire.trace.clone()));
        self.nodes.insert(node_id, node);
    }

    /// Starts a new member that the founder adds.
    async fn join(&mut self, node_id: u64) {
        self.start(node_id, Founding::Join).await;
        let joining = Joining {
            node_id,
            address: format!("node-{node_id}"),
            region: String::new(),
            wants_vote: node_id != LEARNER,
            known_format: Some(cluster::Formats::default().known()),
        };
        self.nodes[&1].handle().add_member(joining).await.unwrap();
    }

    /// Stops the leader, and takes from its disk what was not durable.
    async fn stop_leader(&mut self) -> u64 {
        let leads = |node: &ClusterNode| node.handle().status().role == Role::Leader;
        let leader = self.nodes.iter().find(|(_, node)| leads(node)).map(|(id, _)| *id);
        let leader = leader.expect("the cluster has a leader");
        self.wire.members.lock().unwrap().remove(&leader);
        self.nodes.remove(&leader).unwrap().shutdown().await.unwrap();
        let disk = self.disks.get_mut(&leader).unwrap();
        *disk = Arc::new(disk.after_power_loss());
        leader
    }

    /// Looks at the members until so much time has passed since the beginning.
    async fn until(&self, seconds: u64) {
        let end = self.wire.trace.began + Duration::from_secs(seconds);
        while Instant::now() < end {
            for node in self.nodes.values() {
                let now = node.handle().status();
                self.wire.trace.note(&format!("{now:?}"));
            }
            sleep_until(Instant::now() + LOOK_EVERY).await;
        }
    }
}

async fn keep_revoking(node_id: u64, handle: ClusterHandle, trace: Arc<Trace>) {
    let mut number = u128::from(node_id) << 64;
    while handle.status().role != Role::Stopped {
        number += 1;
        let applied = handle.apply(vec![revoke_token(number)]).await;
        trace.note(&format!("{node_id} revoked {number:x}: {applied:?}"));
        sleep(REVOKE_EVERY).await;
    }
}

/// What became of twenty seconds.
struct Outcome {
    trace: Vec<String>,
    terms: u64,
    first_snapshot_of_learner: Option<u64>,
}

async fn live(seed: u64) -> Outcome {
    let mut world = World::new(seed);
    world.start(1, Founding::Alone).await;
    world.join(2).await;
    world.join(3).await;
    world.until(5).await;
    let stopped = world.stop_leader().await;
    world.until(9).await;
    world.start(stopped, Founding::Join).await;
    world.until(12).await;
    world.join(LEARNER).await;
    let learner = world.nodes[&LEARNER].handle();
    while learner.status().last_applied.is_none() {
        sleep(Duration::from_millis(1)).await;
    }
    let first_snapshot_of_learner = learner.status().snapshot;
    world.until(20).await;
    let trace = std::mem::take(&mut *world.wire.trace.lines.lock().unwrap());
    Outcome {
        trace,
        terms: learner.status().term,
        first_snapshot_of_learner,
    }
}

/// A life in a thread of its own, whose runtime has no other.
fn begin(seed: u64) -> JoinHandle<Outcome> {
    std::thread::spawn(move || {
        seed_elections(seed);
        let threads = Arc::new(AtomicUsize::default());
        let started = threads.clone();
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .rng_seed(RngSeed::from_bytes(&seed.to_le_bytes()))
            .on_thread_start(move || _ = started.fetch_add(1, Ordering::SeqCst))
            .build()
            .unwrap();
        let outcome = runtime.block_on(live(seed));
        assert_eq!(
            threads.load(Ordering::SeqCst),
            0,
            "all work is done in the calling task"
        );
        outcome
    })
}

#[test]
fn a_cluster_that_lives_again_with_the_same_seed_takes_the_same_steps() {
    let [first, again, other] = [1, 1, 2].map(begin).map(|life| life.join().unwrap());
    let pairs = first.trace.iter().zip(&again.trace);
    if let Some((number, (one, other))) = pairs.enumerate().find(|(_, (one, other))| one != other) {
        panic!("step {number} differs:\n{one}\n{other}");
    }
    assert_eq!(first.trace.len(), again.trace.len());
    assert!(first.terms > 1, "the members have elected another leader");
    assert!(
        first.first_snapshot_of_learner > Some(20),
        "the learner began with a snapshot: {:?}",
        first.first_snapshot_of_learner
    );
    assert_ne!(first.trace, other.trace, "another seed is another life");
}
