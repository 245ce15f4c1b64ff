//! Members in one process, connected by function calls.

mod catching_up;
mod distance;
mod formats;
mod joining;
mod keys;
mod membership;
mod over_tcp;
mod replication;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use async_trait::async_trait;
use domain::ports::{Clock, Entropy, Replication as _, RevocationView as _};
use domain::{AgentId, NodeId, ReplicatedChange, Timestamp};
use openraft::errors::{InitializeError, RaftError};
use uuid::Uuid;

use super::*;
use crate::codec::{self, NEWEST};
use crate::fixtures::{revoke_token, token};
use crate::handle::Joining;
use crate::network::{Peer, PeerRequest, Transport, TransportError};
use crate::raft_types::Member;
use crate::sealing::{MasterKey, MasterKeys};
use crate::status::Role;

struct RuntimeClock(Instant);
impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000).plus(self.0.elapsed())
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Counting(AtomicU64);
impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(1, Relaxed).to_le_bytes()[0];
        }
    }
}

/// Carries calls between the members of one process, unless one of the two is cut off.
#[derive(Default)]
struct Hub {
    members: Mutex<BTreeMap<u64, ClusterHandle>>,
    cut_off: Mutex<BTreeSet<u64>>,
    /// Members who are heard and hear nothing: neither what others ask nor what they answer.
    deaf: Mutex<BTreeSet<u64>>,
    /// So many answers are still to be lost on their way back.
    lose_answers: AtomicUsize,
    /// Calls take a while, each a different one, so that they overtake each other.
    is_unsteady: AtomicBool,
    calls: AtomicU64,
    /// How long a message is under way.
    one_way_ms: AtomicU64,
    /// How much longer entries are on their way to some members; everything else overtakes them.
    entries_late: Mutex<BTreeMap<u64, Duration>>,
}

impl Hub {
    /// How much longer a request is on its way to a member.
    fn lateness(&self, to: u64, request: &[u8]) -> Duration {
        let late = self.entries_late.lock().unwrap().get(&to).copied();
        let has_entries = || match codec::decode(request) {
            Ok(PeerRequest::Append(rpc)) => !rpc.entries.is_empty(),
            Ok(PeerRequest::AppendNext(sequenced)) => !sequenced.rpc.entries.is_empty(),
            _ => false,
        };
        late.filter(|_| has_entries()).unwrap_or_default()
    }
}

struct From(u64, Arc<Hub>);

#[async_trait]
impl Transport for From {
    async fn call(&self, peer: &Peer, request: Vec<u8>, deadline: Duration) -> Result<Vec<u8>, TransportError> {
        let unreachable = || TransportError::Unreachable {
            node_id: peer.node_id,
            reason: "cut off".to_owned(),
        };
        let handle = {
            let cut_off = self.1.cut_off.lock().unwrap();
            if cut_off.contains(&self.0) || cut_off.contains(&peer.node_id) {
                return Err(unreachable());
            }
            self.1
                .members
                .lock()
                .unwrap()
                .get(&peer.node_id)
                .cloned()
                .ok_or_else(unreachable)?
        };
        let is_deaf = |node_id: u64| self.1.deaf.lock().unwrap().contains(&node_id);
        if is_deaf(peer.node_id) {
            sleep(deadline).await;
            return Err(unreachable());
        }
        let interrupted = |_| TransportError::Interrupted {
            node_id: peer.node_id,
            reason: "too late".to_owned(),
        };
        if self.1.is_unsteady.load(Relaxed) {
            let call = self.1.calls.fetch_add(1, Relaxed);
            sleep(Duration::from_millis(call * 7 % 19)).await;
        }
        let one_way = Duration::from_millis(self.1.one_way_ms.load(Relaxed));
        sleep(one_way + self.1.lateness(peer.node_id, &request)).await;
        let answer = tokio::time::timeout(deadline, handle.answer_peer(&request))
            .await
            .map_err(interrupted)?;
        sleep(one_way).await;
        if is_deaf(self.0) {
            sleep(deadline).await;
            return Err(unreachable());
        }
        let is_proposal = matches!(codec::decode(&request), Ok(PeerRequest::Propose(_)));
        let lose_one = |left: usize| left.checked_sub(1);
        if is_proposal && self.1.lose_answers.fetch_update(Relaxed, Relaxed, lose_one).is_ok() {
            return Err(TransportError::Interrupted {
                node_id: peer.node_id,
                reason: "lost".to_owned(),
            });
        }
        Ok(answer)
    }
}

#[derive(Default)]
struct Trio {
    hub: Arc<Hub>,
    nodes: BTreeMap<u64, ClusterNode>,
    folders: Vec<tempfile::TempDir>,
}

impl Trio {
    async fn found() -> Self {
        Self::found_with(|config| config).await
    }

    async fn found_with(change: impl Fn(ClusterConfig) -> ClusterConfig) -> Self {
        let hub = Arc::new(Hub::default());
        let mut nodes = BTreeMap::new();
        let mut folders = Vec::new();
        for node_id in 1..=3 {
            let folder = tempfile::tempdir().unwrap();
            let node = ClusterNode::open(change(config(node_id, folder.path())), ports(node_id, &hub))
                .await
                .unwrap();
            hub.members.lock().unwrap().insert(node_id, node.handle());
            nodes.insert(node_id, node);
            folders.push(folder);
        }
        let members: BTreeMap<u64, Member> = (1..=3).map(|node_id| (node_id, Member::default())).collect();
        // All at once: a node does not vote before it has seen that it may.
        for node in nodes.values() {
            let told = node.raft.initialize(members.clone()).await;
            // Who has heard of it from another one meanwhile need not be told.
            let knows = matches!(told, Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))));
            assert!(knows, "{told:?}");
        }
        Self { hub, nodes, folders }
    }

    /// A node that founds a cluster of one, as nodes do.
    async fn found_alone() -> Self {
        let mut trio = Self {
            hub: Arc::new(Hub::default()),
            nodes: BTreeMap::new(),
            folders: Vec::new(),
        };
        trio.start(1, Founding::Alone).await;
        trio
    }

    /// Starts a node as a process would.
    async fn start(&mut self, node_id: u64, founding: Founding) {
        self.start_with(node_id, founding, |_| ()).await;
    }

    async fn start_with(&mut self, node_id: u64, founding: Founding, change: impl FnOnce(&mut ClusterConfig)) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = ClusterConfig {
            founding,
            address: format!("node-{node_id}"),
            region: "here".to_owned(),
            ..config(node_id, folder.path())
        };
        change(&mut config);
        let node = ClusterNode::open(config, ports(node_id, &self.hub)).await.unwrap();
        if founding == Founding::Alone {
            node.ready().await.unwrap();
        }
        self.hub.members.lock().unwrap().insert(node_id, node.handle());
        self.nodes.insert(node_id, node);
        self.folders.push(folder);
    }

    /// Stops a node and starts it again with other master keys.
    async fn restart(&mut self, node_id: u64, master_keys: MasterKeys) {
        self.nodes.remove(&node_id).unwrap().shutdown().await.unwrap();
        let folder = self.folders[usize::try_from(node_id - 1).unwrap()].path();
        let ports = ClusterPorts {
            master_keys,
            ..ports(node_id, &self.hub)
        };
        let node = ClusterNode::open(config(node_id, folder), ports).await.unwrap();
        self.hub.members.lock().unwrap().insert(node_id, node.handle());
        self.nodes.insert(node_id, node);
        self.all_fresh().await;
    }

    fn handle(&self, node_id: u64) -> ClusterHandle {
        self.nodes[&node_id].handle()
    }

    async fn all_fresh(&self) {
        self.until(|| {
            self.nodes
                .values()
                .all(|node| node.handle().status().fresh)
                .then_some(())
        })
        .await;
    }

    /// The member that leads those who are connected.
    async fn leader(&self) -> u64 {
        self.until(|| {
            let cut_off = self.hub.cut_off.lock().unwrap().clone();
            let connected = self.nodes.iter().filter(|(node_id, _)| !cut_off.contains(node_id));
            let mut leaders = connected.filter(|(_, node)| {
                let status = node.handle().status();
                status.role == Role::Leader && status.fresh
            });
            leaders.next().map(|(node_id, _)| *node_id)
        })
        .await
    }

    async fn until<T>(&self, mut found: impl FnMut() -> Option<T>) -> T {
        loop {
            if let Some(found) = found() {
                return found;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn revoke(&self, at: u64, numbers: std::ops::Range<u128>) {
        for number in numbers {
            self.handle(at).apply(vec![revoke_token(number)]).await.unwrap();
        }
    }

    async fn all_have(&self, members: &[u64], revocations: usize) {
        self.until(|| {
            members
                .iter()
                .all(|node_id| self.nodes[node_id].handle().status().revocations == revocations)
                .then_some(())
        })
        .await;
    }

    fn set_cut_off(&self, members: &[u64]) {
        *self.hub.cut_off.lock().unwrap() = members.iter().copied().collect();
    }

    async fn shutdown(self) {
        for node in self.nodes.into_values() {
            let ended = node.shutdown().await;
            // One that was removed may have heard of it meanwhile, and stopped by itself.
            let is_well = ended
                .as_ref()
                .err()
                .is_none_or(|error| error.to_string().contains("was removed"));
            assert!(is_well, "{ended:?}");
        }
    }
}

fn config(node_id: u64, folder: &Path) -> ClusterConfig {
    ClusterConfig {
        heartbeat: Duration::from_millis(100),
        election_timeout: (Duration::from_millis(400), Duration::from_millis(800)),
        max_revocation_staleness: Duration::from_millis(2_500),
        snapshot_every: 20,
        entries_kept: 100,
        ..ClusterConfig::new(node_id, folder)
    }
}

fn ports(node_id: u64, hub: &Arc<Hub>) -> ClusterPorts {
    let master_keys = master_keys(&[5]);
    let clock = Arc::new(RuntimeClock(Instant::now()));
    let ports = ClusterPorts::new(clock, Arc::new(Counting(AtomicU64::new(node_id))), master_keys);
    ClusterPorts {
        transport: Arc::new(From(node_id, hub.clone())),
        ..ports
    }
}

/// Master keys that are made of these bytes.
fn master_keys(bytes: &[u8]) -> MasterKeys {
    let key = |byte: &u8| {
        let mut key = [*byte; 32];
        key[0] = 1;
        MasterKey::from_bytes(&key).unwrap()
    };
    MasterKeys::new(bytes.iter().map(key).collect()).unwrap()
}

fn joining(node_id: u64, region: &str) -> Joining {
    Joining {
        node_id,
        address: format!("node-{node_id}"),
        region: region.to_owned(),
        wants_vote: false,
        known_format: Some(NEWEST),
    }
}

fn agent_changed(number: u128) -> ReplicatedChange {
    ReplicatedChange::AgentChanged(AgentId(Uuid::from_u128(number)))
}
