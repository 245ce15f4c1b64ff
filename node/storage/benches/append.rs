//! What the audit log costs: batches of sixteen `token.issued` records, durable, and the reads of a token request.
//!
//! `cargo bench -p storage` prints a table for the embedded store, and for PostgreSQL too if
//! `AGENTIDP_TEST_POSTGRES_URL` names a database that may be filled.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the machine's clock and prints"
)]

use std::time::{Duration, Instant};

use domain::{Action, AgentId, AuditRecord, EventId, JsonText, Secret};
use storage::conformance::world::{Tenant, uuid};
use storage::{EmbeddedStore, Execution, PostgresConfig, PostgresStore, Stores};
use tokio::task::JoinSet;

const BATCH: usize = 16;

#[tokio::main]
async fn main() {
    println!(
        "{:<44} {:>9} {:>9} {:>9} {:>12} {:>11}",
        "", "count", "p50 µs", "p99 µs", "records/s", "CPU µs/rec"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    for execution in [Execution::Inline, Execution::Threads] {
        let store = EmbeddedStore::open(&folder.path().join(format!("{execution:?}.db")), execution);
        let stores = Stores::embedded(store.expect("a new file"));
        measure(&format!("embedded, {execution:?}"), &stores, 4_000).await;
        stores.close().await;
    }
    if let Ok(url) = std::env::var("AGENTIDP_TEST_POSTGRES_URL") {
        let config = PostgresConfig {
            url: Secret::new(url),
            pool_max: 20,
            pool_min: 2,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
        };
        let stores = Stores::postgres(PostgresStore::connect(config).await.expect("a server"));
        stores.migrate().await.expect("a schema");
        measure("PostgreSQL", &stores, 1_000).await;
        stores.close().await;
    }
}

async fn measure(name: &str, stores: &Stores, count: usize) {
    let tenants = [
        Tenant::new(stores).await,
        Tenant::new(stores).await,
        Tenant::new(stores).await,
        Tenant::new(stores).await,
    ];
    let agent = tenants[0].registered().await.agent_id;
    tenants[0].stored(agent).await;
    let one = |batch: usize| {
        (0..BATCH)
            .map(|_| record(&tenants[batch % 4], agent))
            .collect::<Vec<_>>()
    };
    let four = |_: usize| (0..BATCH).map(|at| record(&tenants[at % 4], agent)).collect::<Vec<_>>();
    run(&format!("{name}: append 16 to one chain"), count, BATCH, async |at| {
        stores.audit_trail.append(one(at)).await.expect("new")
    })
    .await;
    run(&format!("{name}: append 16 to four chains"), count, BATCH, async |at| {
        stores.audit_trail.append(four(at)).await.expect("new")
    })
    .await;
    run(&format!("{name}: append 1"), count, 1, async |_| {
        stores
            .audit_trail
            .append(vec![record(&tenants[0], agent)])
            .await
            .expect("new");
    })
    .await;
    run(&format!("{name}: load a client"), count, 1, async |_| {
        assert!(stores.clients.load(agent).await.expect("an answer").is_some());
    })
    .await;
    run(&format!("{name}: find an agent"), count, 1, async |_| {
        assert!(
            stores
                .agents
                .find(tenants[0].id(), agent)
                .await
                .expect("an answer")
                .is_some()
        );
    })
    .await;
    run(&format!("{name}: register an agent"), count, 1, async |_| {
        tenants[0].register(&tenants[0].agent()).await
    })
    .await;
    crowd(name, &tenants, count).await;
}

/// Sixteen callers, each with one record at a time.
async fn crowd(name: &str, tenants: &[Tenant; 4], count: usize) {
    let (started, mut callers) = (Instant::now(), JoinSet::new());
    for caller in 0..16 {
        let tenant = tenants[caller % 4].clone();
        callers.spawn(async move {
            for _ in 0..count / 16 {
                tenant.register(&tenant.agent()).await;
            }
        });
    }
    while callers.join_next().await.is_some() {}
    let rate = (count / 16 * 16) as f64 / started.elapsed().as_secs_f64();
    println!(
        "{:<44} {:>9} {:>9} {:>9} {:>12.0}",
        format!("{name}: register, 16 callers"),
        count,
        "",
        "",
        rate
    );
}

fn record(tenant: &Tenant, agent: AgentId) -> AuditRecord {
    let metadata = [
        ("scope", "agents:read agents:write"),
        ("jti", "0192f0c1-2b3d-7a4e-8f00-0123456789ab"),
        ("credentialId", "0192f0c1-2b3d-7a4e-8f00-0123456789ac"),
        ("grantType", "client_credentials"),
    ];
    AuditRecord {
        event_id: EventId(uuid()),
        agent_id: Some(agent),
        metadata: JsonText::object(&metadata),
        ..tenant.record(Action::TokenIssued)
    }
}

async fn run(name: &str, count: usize, records: usize, mut work: impl AsyncFnMut(usize)) {
    for at in 0..20 {
        work(at).await;
    }
    let (cpu, started) = (cpu_time(), Instant::now());
    let mut times = Vec::with_capacity(count);
    for at in 0..count {
        let begun = Instant::now();
        work(at).await;
        times.push(begun.elapsed());
    }
    let (took, cpu) = (started.elapsed(), cpu_time() - cpu);
    times.sort_unstable();
    let all = (count * records) as f64;
    println!(
        "{name:<44} {count:>9} {:>9.1} {:>9.1} {:>12.0} {:>11.2}",
        times[count / 2].as_secs_f64() * 1e6,
        times[count * 99 / 100].as_secs_f64() * 1e6,
        all / took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / all
    );
}

/// What all threads of this process have used so far.
fn cpu_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let used = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    let nanos = used
        .filter_map(|text| text.split(' ').next().and_then(|first| first.parse::<u64>().ok()))
        .sum();
    Duration::from_nanos(nanos)
}
