//! Nodes that have lost what they had, and a cluster that has lost its majority: refused with the way out, which works.

use std::path::Path;
use std::process::Output;

use e2e::eventually::DEADLINE;
use e2e::process::Process;
use e2e::{Api, Backend, Client, Cluster, eventually, on_both_stores};
use serde_json::{Value, json};
use tokio::time::Instant;

on_both_stores!(
    a_member_whose_log_is_damaged_is_refused_and_the_printed_way_out_works,
    a_member_that_comes_back_with_nothing_is_refused_until_it_was_removed,
    a_cluster_that_lost_its_majority_is_founded_again_by_the_node_that_is_left,
    a_saved_snapshot_is_enough_to_found_a_cluster_again,
);

/// Overwrites the middle third of a file.
fn scribble(path: &Path) {
    let mut bytes = std::fs::read(path).expect("the file is there");
    let third = bytes.len() / 3;
    bytes[third..2 * third].fill(0xAA);
    std::fs::write(path, bytes).expect("the file can be written");
}

async fn is_active(api: &Api, client: &Client, token: &str) -> Option<bool> {
    let request = api.post("/oauth2/introspect").basic(client);
    let answer = request.form(&[("token", token)]).try_send().await.ok()?;
    (answer.status == 200).then(|| answer.json()["active"] == json!(true))
}

/// Waits until a node vouches for a token, or says that it is dead.
async fn says(cluster: &Cluster, node_id: u64, token: &str, active: bool) {
    let api = cluster.api_of(node_id);
    eventually("a node knows a token", async || {
        is_active(&api, &cluster.admin, token)
            .await
            .filter(|said| *said == active)
    })
    .await;
}

async fn a_member_whose_log_is_damaged_is_refused_and_the_printed_way_out_works(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let dead = cluster.token(1, &cluster.admin, "agents:read").await;
    let _ = cluster.revoke(1, &dead).await.expect(200);
    cluster.kill(2);
    let log = cluster.folder(2).join("raft/log.redb");
    scribble(&log);
    let mut process = cluster.serve(2);
    assert!(!process.exit().await.success());
    let said = cluster.said(2);
    let folder = cluster.folder(2).join("raft");
    let way_out = format!(
        "agentidp cluster remove 2 --operator ONE_OF_THEM; then remove {}, and let the node join again",
        folder.display()
    );
    for part in [log.display().to_string(), way_out] {
        assert!(said.contains(&part), "{part} in {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    // As it says.
    cluster.cluster_command(1, &["remove", "2"]);
    std::fs::remove_dir_all(folder).expect("it can be removed");
    cluster.join(1, 2);
    let _process = cluster.serve(2);
    says(&cluster, 2, &dead, false).await;
    let alive = cluster.token(3, &cluster.admin, "agents:read").await;
    says(&cluster, 2, &alive, true).await;
}

async fn a_member_that_comes_back_with_nothing_is_refused_until_it_was_removed(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let token = cluster.token(1, &cluster.admin, "agents:read").await;
    cluster.kill(3);
    std::fs::remove_dir_all(cluster.folder(3).join("raft")).expect("it can be removed");
    let mut process = cluster.serve(3);
    eventually("it is told", async || {
        let said = cluster.said(3);
        said.contains("agentidp cluster remove 3; then invite it").then_some(())
    })
    .await;
    assert!(process.is_running());
    // The others go on, and the leader has not taken harm.
    let _ = cluster.revoke(1, &token).await.expect(200);
    assert!(!cluster.is_active(2, &token).await);
    cluster.cluster_command(1, &["remove", "3"]);
    cluster.join(1, 3);
    says(&cluster, 3, &token, false).await;
}

/// What the program answers, once a node that was killed is gone and has let go of its folder.
fn when_released(cluster: &Cluster, words: &[&str]) -> Output {
    let end = Instant::now() + DEADLINE;
    loop {
        let output = cluster.command(words).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        if !said.contains("in use by another process") || Instant::now() >= end {
            return output;
        }
    }
}

/// Restores on one of the nodes, all of which have been killed.
fn restore(cluster: &Cluster, node_id: u64, more: &[&str]) -> Value {
    let config = cluster.config_file(node_id).display().to_string();
    let words = [
        "cluster",
        "restore",
        "--config",
        &config,
        "--json",
        "--issued-tokens",
        "keep",
    ];
    let unconfirmed = when_released(cluster, &[&words[..], more].concat());
    let said = String::from_utf8_lossy(&unconfirmed.stderr).into_owned();
    assert_eq!(unconfirmed.status.code(), Some(2), "{said}");
    for part in ["NOT_CONFIRMED", "revocations among it, is not there", "--yes"] {
        assert!(said.contains(part), "{said}");
    }
    let confirmed = [&words[..], more, &["--yes"]].concat();
    let output = cluster.command(&confirmed).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

async fn first_token(cluster: &Cluster, node_id: u64) -> String {
    let api = cluster.api_of(node_id);
    let answer = eventually("a node issues tokens", async || {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "agents:read audit:read"),
        ];
        let request = api.post("/oauth2/token").basic(&cluster.admin).form(&form);
        request.try_send().await.ok().filter(|answer| answer.status == 200)
    })
    .await;
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

async fn a_cluster_that_lost_its_majority_is_founded_again_by_the_node_that_is_left(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let (dead, alive) = (
        cluster.token(1, &cluster.admin, "agents:read").await,
        cluster.token(2, &cluster.admin, "agents:read").await,
    );
    let _ = cluster.revoke(3, &dead).await.expect(200);
    (1..=3).for_each(|node_id| cluster.kill(node_id));
    let restored = restore(&cluster, 3, &[]);
    assert_eq!(
        (&restored["timesRestored"], &restored["nodeId"]),
        (&json!(1), &json!(3))
    );
    let (found, first) = (restored["foundRevision"].as_u64(), restored["firstRevision"].as_u64());
    assert!(first > found.map(|found| found + 1_000_000_000), "{restored}");

    let _third = cluster.serve(3);
    let token = first_token(&cluster, 3).await;
    says(&cluster, 3, &alive, true).await;
    says(&cluster, 3, &dead, false).await;
    let events = cluster
        .api_of(3)
        .get("/api/v1/audit?action=cluster.restored")
        .bearer(&token);
    let events = events.send().await.expect(200).json();
    assert_eq!(events["data"].as_array().map(Vec::len), Some(1), "{events}");

    let mut others: Vec<Process> = Vec::new();
    for node_id in [4, 5] {
        cluster.prepare(node_id);
        cluster.join(3, node_id);
        others.push(cluster.serve(node_id));
        says(&cluster, node_id, &alive, true).await;
        says(&cluster, node_id, &dead, false).await;
    }
    let request = cluster.api_of(4).post("/oauth2/revoke").basic(&cluster.admin);
    let _ = request.form(&[("token", &token)]).send().await.expect(200);
    for node_id in 3..=5 {
        says(&cluster, node_id, &token, false).await;
    }

    // A member from before finds nobody who believes it, and stops.
    let mut first = cluster.serve(1);
    assert!(!first.exit().await.success());
    let said = cluster.said(1);
    assert!(
        said.contains("node 1 has the log of the cluster as it was before it was restored"),
        "{said}"
    );
    let status = cluster.cluster_command(3, &["status", "--json"]);
    let status: Value = serde_json::from_str(&status).expect("JSON");
    let members: Vec<u64> = status["members"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|member| member["nodeId"].as_u64())
        .collect();
    assert_eq!(members, [3, 4, 5]);
}

async fn a_saved_snapshot_is_enough_to_found_a_cluster_again(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let (dead, alive) = (
        cluster.token(1, &cluster.admin, "agents:read").await,
        cluster.token(2, &cluster.admin, "agents:read").await,
    );
    let _ = cluster.revoke(3, &dead).await.expect(200);
    let file = cluster.place().scratch.path("saved.snapshot").display().to_string();
    let saved: Value =
        serde_json::from_str(&cluster.cluster_command(2, &["snapshot", "--to", &file, "--json"])).expect("JSON");
    assert_eq!(saved["revocations"], json!(1), "{saved}");
    (1..=3).for_each(|node_id| cluster.kill(node_id));
    // Whatever is left of the node's own is damaged.
    scribble(&cluster.folder(2).join("raft/log.redb"));
    let restored = restore(&cluster, 2, &["--from", &file]);
    assert!(
        restored["formerFolder"]
            .as_str()
            .is_some_and(|kept| Path::new(kept).exists()),
        "{restored}"
    );
    let _second = cluster.serve(2);
    let _ = first_token(&cluster, 2).await;
    says(&cluster, 2, &alive, true).await;
    says(&cluster, 2, &dead, false).await;
}
