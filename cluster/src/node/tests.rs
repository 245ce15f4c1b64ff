//! Three members in one process, connected by function calls: the links, elections, and followers that are far behind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::ports::{Clock, Entropy, Replication as _, RevocationView as _};
use domain::{
    AgentId, CredentialId, OrganizationId, ReplicatedChange, Revision, Revocation, Subject, Timestamp, TokenFacts,
    TokenFamily, TokenId,
};
use uuid::Uuid;

use super::*;
use crate::network::{Peer, Transport, TransportError};
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
            *byte = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes()[0];
        }
    }
}

/// Carries calls between the members of one process, unless one of the two is cut off.
#[derive(Default)]
struct Hub {
    members: Mutex<BTreeMap<u64, ClusterHandle>>,
    cut_off: Mutex<BTreeSet<u64>>,
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
        let interrupted = |_| TransportError::Interrupted {
            node_id: peer.node_id,
            reason: "too late".to_owned(),
        };
        tokio::time::timeout(deadline, handle.answer_peer(&request))
            .await
            .map_err(interrupted)
    }
}

struct Trio {
    hub: Arc<Hub>,
    nodes: BTreeMap<u64, ClusterNode>,
    _folders: Vec<tempfile::TempDir>,
}

impl Trio {
    async fn found() -> Self {
        let hub = Arc::new(Hub::default());
        let mut nodes = BTreeMap::new();
        let mut folders = Vec::new();
        for node_id in 1..=3 {
            let folder = tempfile::tempdir().unwrap();
            let node = ClusterNode::launch(config(node_id, folder.path()), ports(node_id, &hub))
                .await
                .unwrap();
            hub.members.lock().unwrap().insert(node_id, node.handle());
            nodes.insert(node_id, node);
            folders.push(folder);
        }
        let members: BTreeMap<u64, Member> = (1..=3).map(|node_id| (node_id, Member::default())).collect();
        nodes[&1].raft.initialize(members).await.unwrap();
        Self {
            hub,
            nodes,
            _folders: folders,
        }
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
            let subject = Subject::Token(TokenId(Uuid::from_u128(number)));
            let forget_at = Timestamp::from_seconds(1_900_000_000);
            let change = ReplicatedChange::Revoke(Revocation { subject, forget_at });
            self.nodes[&at].handle().apply(vec![change]).await.unwrap();
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
            node.shutdown().await.unwrap();
        }
    }
}

fn config(node_id: u64, folder: &Path) -> ClusterConfig {
    ClusterConfig {
        heartbeat: Duration::from_millis(100),
        election_timeout: (Duration::from_millis(400), Duration::from_millis(800)),
        max_revocation_staleness: Duration::from_millis(1_500),
        snapshot_every: 20,
        ..ClusterConfig::new(node_id, folder)
    }
}

fn ports(node_id: u64, hub: &Arc<Hub>) -> ClusterPorts {
    let mut key = [5; 32];
    key[0] = 1;
    let master_keys = MasterKeys::new(vec![MasterKey::from_bytes(&key).unwrap()]).unwrap();
    let clock = Arc::new(RuntimeClock(Instant::now()));
    let ports = ClusterPorts::new(clock, Arc::new(Counting(AtomicU64::new(node_id))), master_keys);
    ClusterPorts {
        transport: Arc::new(From(node_id, hub.clone())),
        ..ports
    }
}

fn token(number: u128) -> TokenFacts {
    let id = Uuid::from_u128(number);
    TokenFacts {
        token: TokenId(id),
        family: TokenFamily(id),
        credential: CredentialId(id),
        agent: AgentId(id),
        organization: OrganizationId(id),
        issued_at: Revision(0),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_member_takes_all_have_and_a_new_leader_keeps() {
    let trio = Trio::found().await;
    let first = trio.leader().await;
    trio.revoke(first, 0..10).await;
    trio.all_have(&[1, 2, 3], 10).await;

    trio.set_cut_off(&[first]);
    let second = trio.leader().await;
    assert_ne!(first, second);
    trio.revoke(second, 10..15).await;
    let handle = trio.nodes[&second].handle();
    assert!((0..15).all(|number| handle.is_revoked(&token(number)) == Ok(true)));

    // Whoever is cut off can prove nothing, and vouches for nothing.
    let former = trio.nodes[&first].handle();
    trio.until(|| former.revision().is_err().then_some(())).await;
    assert!(former.is_revoked(&token(3)).is_err());

    trio.set_cut_off(&[]);
    trio.all_have(&[1, 2, 3], 15).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_far_behind_gets_a_snapshot() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    let late = if leader == 1 { 2 } else { 1 };
    trio.revoke(leader, 0..3).await;
    trio.all_have(&[1, 2, 3], 3).await;
    trio.set_cut_off(&[late]);
    // More than the log keeps behind a snapshot, so that entries alone cannot bring the late one up.
    let kept = u128::from(ENTRIES_KEPT_BEHIND_SNAPSHOT);
    trio.revoke(leader, 3..kept + 100).await;
    trio.until(|| {
        let raft = &trio.nodes[&leader].raft;
        let purged = openraft::async_runtime::WatchReceiver::borrow_watched(&raft.metrics()).purged;
        purged.is_some_and(|purged| purged.index > 20).then_some(())
    })
    .await;
    trio.set_cut_off(&[]);
    trio.all_have(&[late], usize::try_from(kept).unwrap() + 100).await;
    let late = trio.nodes[&late].handle();
    assert!(late.status().snapshot.is_some(), "it could not have come by entries");
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_request_is_answered_and_does_no_harm() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    for garbage in [&b""[..], b"garbage", &[1, 200, 3], &[2, 0]] {
        assert!(!trio.nodes[&leader].handle().answer_peer(garbage).await.is_empty());
    }
    trio.revoke(leader, 0..1).await;
    trio.shutdown().await;
}
