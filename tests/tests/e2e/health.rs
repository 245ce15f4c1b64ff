//! Health: alive, ready, and in detail.

use std::net::SocketAddr;

use e2e::node::Place;
use e2e::process::Process;
use e2e::store::Store;
use e2e::{Backend, Node, NodeOptions, eventually, on_both_stores, ports};
use serde_json::json;

on_both_stores!(
    a_node_is_alive_and_ready_on_both_listeners,
    details_tell_of_every_dependency_and_of_the_cluster,
);

async fn a_node_is_alive_and_ready_on_both_listeners(backend: Backend) {
    let node = Node::start(backend).await;
    for api in [node.api(), node.operator()] {
        let alive = api.get("/health").send().await.expect(200);
        assert!(alive.header("cache-control").contains("no-store"));
        let body = alive.json();
        assert!(body["status"].is_string() && body["checks"].is_object(), "{body}");
        assert_eq!(
            api.get("/health/ready").send().await.expect(200).json()["status"],
            "ready"
        );
    }
}

async fn details_tell_of_every_dependency_and_of_the_cluster(backend: Backend) {
    let node = Node::start(backend).await;
    for api in [node.api(), node.operator()] {
        let body = api.get("/health/detailed").send().await.expect(200).json();
        let checks = body["checks"].as_object().expect("checks");
        assert!(checks.values().all(|check| check["status"] == "healthy"), "{body}");
        let replication = &checks["replication"];
        assert_eq!(
            (&replication["role"], &replication["lag"]),
            (&json!("leader"), &json!(0))
        );
        assert!(replication["term"].as_u64().is_some_and(|term| term >= 1), "{body}");
        assert!(
            replication["revocationStalenessMs"]
                .as_u64()
                .is_some_and(|millis| millis < 5000),
            "{body}"
        );
        assert_eq!(
            checks.contains_key("redis"),
            backend == Backend::Postgres && e2e::settings::redis_url().is_some(),
            "{body}"
        );
    }
}

/// PostgreSQL goes away and comes back; nobody restarts the node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_told_and_survived() {
    if e2e::settings::postgres_url().is_none() {
        e2e::skip::note(
            "health::a_database_that_goes_away_is_told_and_survived",
            e2e::skip::WITHOUT_POSTGRES,
        );
        return;
    }
    let node = Node::start(Backend::Postgres).await;
    let admin = node.admin().await;
    let Store::Postgres(database) = &node.place.store else {
        panic!("a database was asked for")
    };
    database.shut().await;
    let details = node.api().get("/health/detailed").send().await.expect(503).json();
    assert_eq!(details["checks"]["store"]["status"], "unreachable", "{details}");
    let _ = node.api().get("/health").send().await.expect(200);
    let refused = admin.get("/api/v1/agents").send().await;
    refused.expect_error(503, "SERVICE_UNAVAILABLE");
    assert!(
        refused
            .header("retry-after")
            .parse::<u32>()
            .is_ok_and(|seconds| seconds >= 1),
        "{:?}",
        refused.headers
    );
    let refused = admin.post("/api/v1/agents", &e2e::session::agent_body()).send().await;
    refused.expect_error(503, "SERVICE_UNAVAILABLE");
    database.open().await;
    eventually("the node to find its database again", async || {
        let answer = node.api().get("/health/detailed").send().await;
        (answer.status == 200).then_some(())
    })
    .await;
    node.check_it_works().await;
    assert_eq!(node.admin().await.verify().await["verified"], true);
}

/// Redis is not there when the node starts, comes, goes and comes back; the node serves all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_not_there_is_told_and_survived() {
    if std::process::Command::new("redis-server")
        .arg("--version")
        .output()
        .is_err()
    {
        e2e::skip::note(
            "health::a_redis_that_is_not_there_is_told_and_survived",
            "there is no redis-server",
        );
        return;
    }
    let address = ports::free();
    let options = NodeOptions::on(Backend::Embedded).set("redis.url", format!("redis://{address}"));
    let node = options.start().await;
    for _ in 0..2 {
        redis_is(&node, "unreachable", 207).await;
        let _ = node.api().get("/health/ready").send().await.expect(200);
        node.check_it_works().await;
        let mut redis = start_redis(&node.place, address);
        redis_is(&node, "healthy", 200).await;
        redis.kill();
    }
    assert!(
        node.place.log().contains("Redis does not answer"),
        "{}",
        node.place.log()
    );
}

fn start_redis(place: &Place, address: SocketAddr) -> Process {
    let mut command = std::process::Command::new("redis-server");
    let port = address.port().to_string();
    command
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--save",
            "",
            "--appendonly",
            "no",
        ])
        .current_dir(place.scratch.path(""));
    Process::start(&mut command, &place.scratch.path("redis.log")).0
}

async fn redis_is(node: &Node, condition: &str, status: u16) {
    let answer = eventually(&format!("redis to be {condition}"), async || {
        let answer = node.api().get("/health/detailed").send().await;
        (answer.json()["checks"]["redis"]["status"] == condition).then_some(answer)
    })
    .await;
    let _ = answer.expect(status);
}
