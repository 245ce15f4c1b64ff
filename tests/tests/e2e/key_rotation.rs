//! Signing keys follow each other on three nodes: under load, over crashes, by order of an operator, and in an emergency.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{Backend, Cluster, NodeOptions, eventually, jwt, on_both_stores};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

on_both_stores!(
    a_rotation_under_load_loses_no_request,
    a_rotation_goes_on_after_all_nodes_have_crashed,
    the_schedule_goes_on_without_its_owner,
    an_emergency_kills_every_token_of_the_former_keys,
    an_operator_has_a_key_replaced_and_nobody_notices,
);

/// Keys that sign for nine seconds, of tokens that live for five.
fn hasty(backend: Backend) -> NodeOptions {
    NodeOptions::on(backend)
        .set("cluster.max_revocation_staleness", "3s")
        .set("keys.clock_skew", "3s")
        .set("keys.jwks_max_age", "1s")
        .set("keys.token_ttl_max", "5s")
        .set("keys.publish_ahead", "4s")
        .set("keys.retain", "8s")
        .set("keys.rotation_interval", "9s")
}

async fn key_set(cluster: &Cluster, node_id: u64) -> Value {
    let answer = cluster.api(node_id).get("/.well-known/jwks.json").send().await;
    answer.expect(200).json()
}

fn kid(token: &str) -> String {
    jwt::parts(token).0["kid"].as_str().expect("a kid").to_owned()
}

fn kids(set: &Value) -> BTreeSet<String> {
    let keys = set["keys"].as_array().expect("keys").iter();
    keys.map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

/// The keys of an algorithm in a state, as a node's operators see them.
async fn in_state(cluster: &Cluster, node_id: u64, algorithm: &str, state: &str) -> BTreeSet<String> {
    let ring = cluster.keys(node_id).await;
    let keys = ring["keys"].as_array().expect("a list").iter();
    keys.filter(|key| key["algorithm"] == algorithm && key["state"] == state)
        .map(|key| key["keyId"].as_str().expect("a text").to_owned())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a token's expiry is a time of the machine's clock"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("small")
}

/// A verifier that keeps the key set for as long as it may, and no shorter.
#[derive(Default)]
struct Offline {
    kept: Option<(Value, Instant)>,
}

impl Offline {
    async fn check(&mut self, cluster: &Cluster, node_id: u64, token: &str) {
        let issuer = cluster.announcement()["issuer"].as_str().expect("a text");
        let is_kept = self.kept.as_ref().is_some_and(|(_, until)| Instant::now() < *until);
        if !is_kept {
            let answer = cluster
                .api(node_id)
                .get("/.well-known/jwks.json")
                .send()
                .await
                .expect(200);
            assert_eq!(answer.header("cache-control"), "public, max-age=1");
            self.kept = Some((answer.json(), Instant::now() + Duration::from_secs(1)));
        }
        let (set, _) = self.kept.as_ref().expect("fetched");
        let _ = jwt::verified(token, set, issuer, issuer);
    }
}

/// Asks a node for the token, which it must take unless it has expired meanwhile; says whether it lives.
async fn lives(cluster: &Cluster, node_id: u64, token: &str) -> bool {
    let expires_at = jwt::parts(token).1["exp"].as_i64().expect("exp");
    let is_active = cluster.is_active(node_id, token).await;
    let lives = now() < expires_at;
    assert!(is_active || !lives, "node {node_id} refuses {:?}", jwt::parts(token));
    lives
}

/// Asks every node for the token, over and over until it expires.
async fn watch(cluster: &Cluster, token: &str) {
    for node_id in (1..=3).cycle() {
        if !lives(cluster, node_id, token).await {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn a_rotation_under_load_loses_no_request(backend: Backend) {
    let cluster = Arc::new(Cluster::start_with(hasty(backend)).await);
    let first = kid(&cluster.token(1, &cluster.admin, "agents:read").await);
    let end = Instant::now() + Duration::from_secs(25);
    let mut workers = Vec::new();
    for worker in 0..3 {
        let cluster = cluster.clone();
        workers.push(tokio::spawn(async move {
            let (mut offline, mut signed_with, mut watched) = (Offline::default(), BTreeSet::new(), Vec::new());
            let mut checked = 0;
            for turn in worker.. {
                if Instant::now() >= end {
                    break;
                }
                let node_id = turn % 3 + 1;
                let token = cluster.token(node_id, &cluster.admin, "agents:read").await;
                offline.check(&cluster, (turn + 1) % 3 + 1, &token).await;
                checked += u32::from(lives(&cluster, (turn + 2) % 3 + 1, &token).await);
                if signed_with.insert(kid(&token)) || turn % 16 == 0 {
                    let cluster = cluster.clone();
                    watched.push(tokio::spawn(async move { watch(&cluster, &token).await }));
                }
                sleep(Duration::from_millis(20)).await;
            }
            for watching in watched {
                watching.await.expect("every node takes the token until it expires");
            }
            assert!(checked >= 20, "of what was signed, {checked} were looked at alive");
            signed_with
        }));
    }
    let mut signed_with = BTreeSet::new();
    for worker in workers {
        signed_with.extend(worker.await.expect("no request was lost"));
    }
    assert!(signed_with.len() >= 3, "keys have followed each other: {signed_with:?}");
    for node_id in 1..=3 {
        eventually("the first key has left", async || {
            (!kids(&key_set(&cluster, node_id).await).contains(&first)).then_some(())
        })
        .await;
    }
    check_log(&cluster, &["published", "made_current", "removed"]).await;
}

/// The system organization's log knows of these steps, and is whole.
async fn check_log(cluster: &Cluster, steps: &[&str]) {
    eventually("the steps are in the log", async || {
        // Its token may not live for long.
        let session = cluster.session(2, "agents:read audit:read").await;
        let events = session.get("/api/v1/audit?action=key.rotated&limit=100").send().await;
        let events = events.expect(200).json();
        let events = events["data"].as_array().expect("a list").clone();
        let has = |step: &&str| events.iter().any(|event| event["metadata"]["step"] == **step);
        steps.iter().all(has).then_some(())
    })
    .await;
    let session = cluster.session(1, "agents:read audit:read").await;
    let verified = session.get("/api/v1/audit/verify").send().await.expect(200).json();
    assert_eq!(verified["verified"], true, "{verified}");
}

async fn a_rotation_goes_on_after_all_nodes_have_crashed(backend: Backend) {
    let mut cluster = Cluster::start_with(hasty(backend)).await;
    let former = in_state(&cluster, 1, "ES256", "current").await;
    let next = eventually("the next key is published", async || {
        let published = in_state(&cluster, 1, "ES256", "published").await;
        (!published.is_empty()).then_some(published)
    })
    .await;
    cluster.crash_and_start_again().await;
    eventually("it signs", async || {
        (in_state(&cluster, 3, "ES256", "current").await == next).then_some(())
    })
    .await;
    assert!(
        kids(&key_set(&cluster, 2).await).is_superset(&former),
        "tokens may be alive"
    );
    eventually("the former one leaves", async || {
        kids(&key_set(&cluster, 2).await).is_disjoint(&former).then_some(())
    })
    .await;
}

async fn the_schedule_goes_on_without_its_owner(backend: Backend) {
    let cluster = Cluster::start_with(hasty(backend)).await;
    let (owner, epoch) = eventually("somebody owns the schedule", async || {
        let schedule = cluster.keys(1).await["schedule"].clone();
        Some((schedule["nodeId"].as_u64()?, schedule["epoch"].as_u64()?))
    })
    .await;
    cluster.kill(owner);
    let survivor = owner % 3 + 1;
    let schedule = eventually("another one takes over", async || {
        let schedule = cluster.keys(survivor).await["schedule"].clone();
        (schedule["nodeId"] != owner).then_some(schedule)
    })
    .await;
    assert!(schedule["epoch"].as_u64() > Some(epoch), "{schedule}");
    let former = in_state(&cluster, survivor, "EdDSA", "current").await;
    eventually("keys move on", async || {
        let current = in_state(&cluster, survivor, "EdDSA", "current").await;
        current.is_disjoint(&former).then_some(())
    })
    .await;
    let other = survivor % 3 + 1;
    let living = if other == owner { other % 3 + 1 } else { other };
    let token = cluster.token(survivor, &cluster.admin, "agents:read").await;
    assert!(cluster.is_active(living, &token).await);
}

async fn an_emergency_kills_every_token_of_the_former_keys(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let mut tokens = Vec::new();
    for node_id in 1..=3 {
        tokens.push(cluster.token(node_id, &cluster.admin, "agents:read").await);
    }
    for node_id in 1..=3 {
        for token in &tokens {
            assert!(cluster.is_active(node_id, token).await, "and remembered to be good");
        }
    }
    let former = kid(&tokens[0]);
    let order = ["cluster", "rotate-keys", "--emergency", "--algorithm", "EdDSA"];
    let unconfirmed = cluster.operate(2, &order);
    let said = String::from_utf8_lossy(&unconfirmed.stderr).into_owned();
    assert!(unconfirmed.status.code() == Some(2) && said.contains("--yes"), "{said}");
    assert!(cluster.is_active(1, &tokens[0]).await, "nothing was done");

    let ordered = cluster.operate(2, &[&order[..], &["--yes", "--json"]].concat());
    assert!(ordered.status.success(), "{ordered:?}");
    for node_id in 1..=3 {
        assert!(!kids(&key_set(&cluster, node_id).await).contains(&former));
        for token in &tokens {
            assert!(!cluster.is_active(node_id, token).await, "node {node_id}");
            let bearer = cluster.api(node_id).get("/agent-info").bearer(token).send().await;
            let _ = bearer.expect(401);
        }
    }
    for issuer in 1..=3 {
        let token = cluster.token(issuer, &cluster.admin, "agents:read").await;
        assert_ne!(kid(&token), former);
        for node_id in 1..=3 {
            assert!(cluster.is_active(node_id, &token).await);
        }
    }
    check_log(&cluster, &["replaced", "removed"]).await;
}

async fn an_operator_has_a_key_replaced_and_nobody_notices(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let token = cluster.token(1, &cluster.admin, "agents:read").await;
    let _ = cluster.operator(1).get("/cluster/keys").send().await.expect(401);
    let post = |body: Value| {
        let request = cluster.operator(3).post("/cluster/rotate-keys");
        request.bearer(&cluster.operator_token()).json(&body).send()
    };
    post(json!({ "algorithms": ["HS256"] }))
        .await
        .expect_error(400, "VALIDATION_ERROR");
    post(json!({ "algorithms": [] }))
        .await
        .expect_error(400, "VALIDATION_ERROR");

    let printed = cluster.operate(3, &["cluster", "rotate-keys", "--algorithm", "EdDSA"]);
    let table = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.status.success(), "{printed:?}");
    let rows = |state: &str| {
        let rows = table
            .lines()
            .filter(|line| line.starts_with("EdDSA") && line.contains(state));
        rows.count()
    };
    assert_eq!((rows("current"), rows("published")), (1, 1), "{table}");
    assert!(table.contains("secrets are sealed with master key"), "{table}");
    post(json!({ "algorithms": ["EdDSA"] }))
        .await
        .expect_error(409, "KEYS_REFUSED");

    let published = in_state(&cluster, 2, "EdDSA", "published").await;
    for node_id in 1..=3 {
        assert!(kids(&key_set(&cluster, node_id).await).is_superset(&published));
        assert!(cluster.is_active(node_id, &token).await);
    }
    let next = cluster.token(2, &cluster.admin, "agents:read").await;
    assert_eq!(
        kid(&next),
        kid(&token),
        "the published key signs when verifiers know it"
    );
    let shown = cluster.operate(1, &["cluster", "keys", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["keys"].as_array().map(Vec::len), Some(4), "{shown}");
    check_log(&cluster, &["published"]).await;
}
