//! What the warm path costs beside the store and the signature: `cargo bench -p actors`.
//!
//! Everything runs on one thread, so time is processor time. The ports answer at once; what is measured is ours.
#![allow(clippy::print_stdout, reason = "the figures are the result")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/actors/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use the rest of it")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::{ActorMeters, ActorSettings, Dependencies, LimitClass, LimiterSettings, NodeActors};
use async_trait::async_trait;
use domain::ports::{AuditTrail, StoreError};
use domain::{AgentId, AuditEvent, AuditFilter, AuditRecord, ChainHead, EventId, OrganizationId, Page, PageOf};
use protocol::ClientSecrets;
use support::{SECRET, World, origin, request};
use uuid::Uuid;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        authorize().await;
        admit().await;
        audit().await;
        memory().await;
    });
}

/// Runs `rounds` rounds of `width` calls at once and prints the time of one.
async fn measure<F: Future>(name: &str, width: usize, rounds: usize, mut call: impl FnMut() -> F) {
    for _ in 0..rounds / 10 {
        futures::future::join_all((0..width).map(|_| call())).await;
    }
    let mut latencies = Vec::with_capacity(rounds);
    let started = Instant::now();
    for _ in 0..rounds {
        let round = Instant::now();
        futures::future::join_all((0..width).map(|_| call())).await;
        latencies.push(round.elapsed());
    }
    let each = started.elapsed() / u32::try_from(width * rounds).expect("few");
    latencies.sort_unstable();
    let (p50, p99) = (latencies[rounds / 2], latencies[rounds * 99 / 100]);
    let rate = 1_000_000_000 / each.as_nanos().max(1);
    println!("{name:28} {width:4} at once: {each:>9.2?} each, {rate:>8}/s, round p50 {p50:.1?} p99 {p99:.1?}");
}

async fn authorize() {
    let world = World::start().await;
    for width in [1, 16, 64] {
        measure("authorize, warm", width, 200_000 / width, || world.authorize()).await;
    }
    let (key, request) = (secrets(), request(world.agent, SECRET));
    let record = domain::ports::Clients::load(world.store.as_ref(), world.agent)
        .await
        .expect("there");
    let record = record.expect("there");
    let now = domain::ports::Clock::now(world.clock.as_ref());
    let decide = async || protocol::oauth::decide(&request, Some(&record), &key, now).is_ok();
    measure("  of which the decision", 1, 200_000, decide).await;
}

async fn admit() {
    let limiter = LimiterSettings {
        token_requests_per_minute: 10_000_000,
        ..LimiterSettings::default()
    };
    let world = World::start_with(ActorSettings {
        limiter,
        ..ActorSettings::default()
    })
    .await;
    let admit = || world.actors.limiter.admit(world.agent, LimitClass::Token);
    measure("admit, window open", 1, 1_000_000, admit).await;
    let mut next = 0;
    let first = || {
        next += 1;
        world
            .actors
            .limiter
            .admit(AgentId(Uuid::from_u128(next)), LimitClass::Token)
    };
    measure("admit, first of a client", 1, 20_000, first).await;
}

async fn audit() {
    let world = World::start().await;
    let actors = start(Arc::new(NoTrail), &world).await;
    let record = world.record();
    for width in [1, 16, 64, 512] {
        measure("audit record, no store", width, 200_000 / width, || {
            actors.audit.record(record.clone())
        })
        .await;
    }
    let clone = async || std::hint::black_box(record.clone());
    measure("  of which one copy of it", 1, 200_000, clone).await;
}

async fn memory() {
    const COUNT: u128 = 10_000;
    let world = World::start().await;
    let agents: Vec<AgentId> = (0..COUNT)
        .map(|number| {
            world
                .add_agent(OrganizationId(Uuid::from_u128(1000 + number)), "org", "agent", None)
                .0
        })
        .collect();
    let mut before = resident();
    let mut show = |name: &str| {
        let now = resident();
        println!(
            "{name:28} {:>6.2} KiB each",
            (now.saturating_sub(before)) as f64 / COUNT as f64 / 1024.0
        );
        before = now;
    };
    for agent in &agents {
        world.actors.limiter.admit(*agent, LimitClass::Token).await;
    }
    show("memory of a limiter");
    for agent in &agents {
        world
            .actors
            .tenants
            .authorize(&request(*agent, SECRET), &origin())
            .await
            .expect("granted");
    }
    show("memory of a tenant, client");
    let more: Vec<AgentId> = (0..COUNT)
        .map(|_| world.add_agent(world.organization, "acme", "agent", None).0)
        .collect();
    show("(of a row of the test store)");
    for agent in &more {
        world
            .actors
            .tenants
            .authorize(&request(*agent, SECRET), &origin())
            .await
            .expect("granted");
    }
    show("memory of a warm client");
    tokio::time::sleep(Duration::ZERO).await;
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    const PAGE_BYTES: u64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    text.split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok())
        .expect("a number")
        * PAGE_BYTES
}

/// The digest key of the worlds that the tests use.
fn secrets() -> ClientSecrets {
    ClientSecrets::new(&[7; 32])
}

/// The actors of `world` once more, over another audit log.
async fn start(trail: Arc<dyn AuditTrail>, world: &World) -> NodeActors {
    let dependencies = Dependencies {
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        agents: world.store.clone(),
        credentials: world.store.clone(),
        clients: world.store.clone(),
        audit_trail: trail,
        outbox: world.store.clone(),
        organizations: world.store.clone(),
        signing_keys: world.keys.clone(),
        key_maker: Arc::new(support::NumberedKeys::default()),
        replication: world.cluster.clone(),
        revocations: world.cluster.clone(),
        secrets: Arc::new(secrets()),
        settings: ActorSettings::default(),
        meters: ActorMeters::default(),
    };
    NodeActors::start(dependencies).await.expect("the actors start")
}

/// An audit log that keeps nothing, so that only the way to it is measured.
struct NoTrail;

#[async_trait]
impl AuditTrail for NoTrail {
    async fn append(&self, _records: Vec<AuditRecord>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn list(&self, _: OrganizationId, _: &AuditFilter, page: Page) -> Result<PageOf<AuditEvent>, StoreError> {
        Ok(PageOf {
            data: vec![],
            total: 0,
            page: page.number(),
            limit: page.limit(),
        })
    }

    async fn find(&self, _: OrganizationId, _: EventId) -> Result<Option<AuditEvent>, StoreError> {
        Ok(None)
    }

    async fn range(&self, _: OrganizationId, _: u64, _: u32) -> Result<Vec<AuditEvent>, StoreError> {
        Ok(vec![])
    }

    async fn head(&self, _: OrganizationId) -> Result<ChainHead, StoreError> {
        Ok(ChainHead::EMPTY)
    }
}
