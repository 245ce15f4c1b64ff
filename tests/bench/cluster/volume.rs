//! Many live revocations: what they take of memory and disk, how long a node with them takes to start, and whether
//! introspection is slower.
#![allow(clippy::disallowed_methods, reason = "a load generator measures real time")]

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use e2e::{Client, eventually};

use super::rate;
use super::trio::Trio;
use crate::load::Drive;
use crate::scenario::Scenario;
use crate::{tokens, usage};

/// How many tokens are taken and revoked at a time.
const PORTION: usize = 20_000;
const CONNECTIONS: usize = 16;

/// What was measured, on a node that does not lead.
pub struct Measured {
    /// How many revocations it remembers.
    pub revocations: f64,
    /// Resident memory before and after, in KiB.
    pub memory_kib: (u64, u64),
    /// The snapshot, in bytes.
    pub snapshot_bytes: u64,
    /// From the start of the process until it serves, after it was killed.
    pub restart: Duration,
    /// Introspections a second before and after.
    pub introspections: (f64, f64),
}

/// Revokes so many tokens.
pub async fn measure(trio: &mut Trio, clients: &[Client], count: usize, duration: Duration) -> Measured {
    let node_id = trio.followers().await[0];
    let before = usage::resident_kib(trio.pid(node_id));
    let introspected = introspect(trio, node_id, clients, duration).await;
    let mut left = count;
    while left > 0 {
        let portion = left.min(PORTION);
        rate::revoke(trio, clients, 64, portion).await;
        left -= portion;
    }
    let name = "agentidp_revocation_set_size";
    let revocations = eventually("all revocations to be counted", async || {
        let size = trio.metric(node_id, name).await;
        size.filter(|size| *size >= count as f64)
    })
    .await;
    trio.snapshot(node_id).await;
    let snapshot_bytes = settled_size(&trio.snapshots(node_id)).await;
    let memory_kib = (before, usage::resident_kib(trio.pid(node_id)));
    let introspected = (introspected, introspect(trio, node_id, clients, duration).await);
    trio.kill(node_id);
    let begun_at = Instant::now();
    trio.start_again(node_id);
    trio.ready(node_id).await;
    Measured {
        revocations,
        memory_kib,
        snapshot_bytes,
        restart: begun_at.elapsed(),
        introspections: introspected,
    }
}

/// The median of three, after one that warms up.
async fn introspect(trio: &Trio, node_id: u64, clients: &[Client], duration: Duration) -> f64 {
    let address = trio.address(node_id);
    let tokens = tokens::take(address, clients, 64).await;
    let mut rates = Vec::new();
    for _ in 0..4 {
        let drive = Drive {
            address,
            connections: CONNECTIONS,
            duration,
        };
        let outcome = Scenario::IntrospectSeen.load(clients, &tokens).run(drive).await;
        assert_eq!(outcome.refused + outcome.unexpected, 0, "introspection fails");
        rates.push(outcome.rate());
    }
    rates.remove(0);
    rates.sort_by(f64::total_cmp);
    rates[1]
}

/// The size of the files of a folder, once it does not change for a while.
async fn settled_size(folder: &Path) -> u64 {
    let size = || -> u64 {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
    };
    let last = Cell::new(0);
    eventually("the snapshot to be written", async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = size();
        let has_settled = now > 0 && now == last.replace(now);
        has_settled.then_some(now)
    })
    .await
}
