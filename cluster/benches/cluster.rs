//! What the replicated state costs: revocations per second, look-ups, restarts and snapshots. Prints a table.
//!
//! `cargo bench -p cluster`; the folder is made in the current directory, so that it is the disk that is measured.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the machine's clocks")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use cluster::{ClusterConfig, ClusterHandle, ClusterNode, ClusterPorts, MasterKeys};
use domain::ports::{Clock, Entropy, Replication as _, RevocationView as _};
use domain::{
    AgentId, CredentialId, OrganizationId, ReplicatedChange, Revision, Revocation, Subject, Timestamp, TokenFacts,
    TokenFamily, TokenId,
};
use uuid::Uuid;

struct MachineClock(Instant);
impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Mixing(AtomicU64);
impl Entropy for Mixing {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&mix(self.0.fetch_add(1, Ordering::Relaxed)).to_be_bytes()[..chunk.len()]);
        }
    }
}

fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(mix(number), number)
}

async fn start(folder: &Path) -> ClusterNode {
    let master_keys =
        MasterKeys::parse(b"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").expect("hex");
    let clock = Arc::new(MachineClock(Instant::now()));
    let ports = ClusterPorts::new(clock, Arc::new(Mixing(AtomicU64::new(1))), master_keys);
    ClusterNode::start(ClusterConfig::new(1, folder), ports)
        .await
        .expect("the node starts")
}

fn revoke(number: u64) -> ReplicatedChange {
    let forget_at = Timestamp::from(SystemTime::now()).plus(Duration::from_secs(86_400));
    ReplicatedChange::Revoke(Revocation {
        subject: Subject::Token(TokenId(id(number))),
        forget_at,
    })
}

fn token(number: u64) -> TokenFacts {
    TokenFacts {
        token: TokenId(id(number)),
        family: TokenFamily(id(number)),
        credential: CredentialId(id(number)),
        agent: AgentId(id(number)),
        organization: OrganizationId(id(number)),
        issued_at: Revision(1),
    }
}

async fn revocations_per_second(handle: &ClusterHandle, callers: u64, next: &Arc<AtomicU64>) {
    const SECONDS: u64 = 3;
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (handle, next) = (handle.clone(), next.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < until {
                    let asked_at = Instant::now();
                    handle
                        .apply(vec![revoke(next.fetch_add(1, Ordering::Relaxed))])
                        .await
                        .expect("it is taken");
                    took.push(asked_at.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.expect("no caller panics"));
    }
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "revocations, {callers:>3} callers: {:>7}/s  p50 {:>9.1?}  p99 {:>9.1?}",
        took.len() as u64 / SECONDS,
        at(0.5),
        at(0.99)
    );
}

fn look_ups(handle: &ClusterHandle) {
    const COUNT: u32 = 2_000_000;
    let known = handle.status().revocations as u64;
    let begun_at = Instant::now();
    let mut dead = 0u64;
    for number in 0..u64::from(COUNT) {
        // Nine of ten tokens are alive, as in life.
        let number = if number % 10 == 0 {
            mix(number) % known
        } else {
            u64::MAX / 2 + mix(number) % known
        };
        dead += u64::from(handle.is_revoked(&token(number)).expect("the view is fresh"));
    }
    println!(
        "is_revoked among {known:>9}: {:>7.1?} each, {dead} dead",
        begun_at.elapsed() / COUNT
    );
}

async fn fill(handle: &ClusterHandle, from: u64, to: u64) {
    let mut next = from;
    while next < to {
        let calls = (0..32).map(|_| {
            let first = next;
            next = (next + 1_024).min(to);
            let (handle, changes) = (handle.clone(), (first..next).map(revoke).collect());
            async move { handle.apply(changes).await }
        });
        let calls: Vec<_> = calls.collect();
        for outcome in futures::future::join_all(calls).await {
            outcome.expect("it is taken");
        }
    }
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok())
        .unwrap_or(0)
        * 4
        / 1024
}

async fn restarted(node: ClusterNode, folder: &Path, what: &str) -> ClusterNode {
    let stopped_at = Instant::now();
    node.shutdown().await.expect("it stops");
    let stopping = stopped_at.elapsed();
    let started_at = Instant::now();
    let node = start(folder).await;
    let log = std::fs::metadata(folder.join("raft/log.redb")).map_or(0, |file| file.len()) / 1024 / 1024;
    println!(
        "restart with {:>9} revocations {what}: {:>9.1?} (stopping {stopping:.1?}), log {log} MiB, resident {} MiB",
        node.handle().status().revocations,
        started_at.elapsed(),
        resident_mib()
    );
    node
}

async fn snapshot(handle: &ClusterHandle, folder: &Path) {
    let asked_at = Instant::now();
    let upto = handle.status().last_applied;
    handle.snapshot().await.expect("it is asked for");
    while handle.status().snapshot < upto {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let bytes = std::fs::metadata(folder.join("raft/snapshots/state.snapshot")).map_or(0, |file| file.len());
    println!(
        "snapshot of {:>9} revocations: {:.1?}, {} KiB",
        handle.status().revocations,
        asked_at.elapsed(),
        bytes / 1024
    );
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir_in(".").expect("the current directory is writable");
    let folder = folder.path();
    let mut node = start(folder).await;
    println!("an idle node: resident {} MiB", resident_mib());
    let next = Arc::new(AtomicU64::new(1_000_000_000));
    for callers in [1, 16, 64] {
        revocations_per_second(&node.handle(), callers, &next).await;
    }
    node.shutdown().await.expect("it stops");

    let folder = tempfile::tempdir_in(".").expect("the current directory is writable");
    let folder = folder.path();
    node = start(folder).await;
    fill(&node.handle(), 0, 1_000).await;
    look_ups(&node.handle());
    fill(&node.handle(), 1_000, 100_000).await;
    node = restarted(node, folder, "in the log").await;
    snapshot(&node.handle(), folder).await;
    node = restarted(node, folder, "in the snapshot").await;
    let begun_at = Instant::now();
    fill(&node.handle(), 100_000, 1_000_000).await;
    println!(
        "900,000 revocations, 32 callers with 1,024 each: {:.1?}",
        begun_at.elapsed()
    );
    look_ups(&node.handle());
    revocations_per_second(&node.handle(), 64, &next).await;
    snapshot(&node.handle(), folder).await;
    node = restarted(node, folder, "in the snapshot").await;
    node.shutdown().await.expect("it stops");
}
