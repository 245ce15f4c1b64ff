//! One master key follows another while the installation lives, and the former one is not needed any more.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::{Backend, Cluster, Node, NodeOptions, Scratch, eventually, on_both_stores};

on_both_stores!(
    a_master_key_follows_another_on_all_nodes,
    a_node_without_the_master_key_says_which_one_it_needs,
);

/// A file with a master key made of this byte and its successors.
fn master_key(scratch: &Scratch, name: &str, first: u8) -> String {
    let path = scratch.path(name);
    let mut text = String::new();
    (0..32).for_each(|offset| {
        let _ = write!(text, "{:02x}", first.wrapping_add(offset));
    });
    fs::write(&path, text).expect("writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
    shown(&path)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

async fn a_master_key_follows_another_on_all_nodes(backend: Backend) {
    let scratch = Scratch::new();
    let (first, second) = (master_key(&scratch, "first", 1), master_key(&scratch, "second", 101));
    let options = NodeOptions::on(backend).set("keys.master_key_file", &first);
    let mut cluster = Cluster::start_with(options).await;
    let token = cluster.token(1, &cluster.admin, "agents:read").await;
    let sealing = |ring: serde_json::Value| ring["sealing"].clone();
    let before = sealing(cluster.keys(1).await);
    assert_eq!(before["sealedWithFormerMasterKeys"], 0, "{before}");

    cluster.set("keys.master_key_file", &second);
    cluster.set("keys.former_master_key_files", &first);
    cluster.crash_and_start_again().await;
    for node_id in 1..=3 {
        let after = eventually("everything is sealed anew", async || {
            let sealing = sealing(cluster.keys(node_id).await);
            (sealing["sealedWithFormerMasterKeys"] == 0).then_some(sealing)
        })
        .await;
        assert_ne!(after["masterKeyId"], before["masterKeyId"]);
        assert_eq!(after["sealedWithMasterKey"], before["sealedWithMasterKey"]);
        let health = cluster
            .api(node_id)
            .get("/health/detailed")
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(health["checks"]["sealing"]["sealedWithFormerMasterKeys"], 0, "{health}");
        let metrics = cluster
            .operator(node_id)
            .get("/metrics")
            .send()
            .await
            .expect(200)
            .text();
        let line = "agentidp_sealed_secrets{master_key=\"former\"} 0";
        assert!(metrics.lines().any(|found| found == line), "{line}");
    }
    assert!(cluster.is_active(2, &token).await);

    fs::remove_file(&first).expect("it is not needed any more");
    cluster.set("keys.former_master_key_files", "");
    cluster.crash_and_start_again().await;
    for node_id in 1..=3 {
        assert!(cluster.is_active(node_id, &token).await, "the keys are the same");
        let fresh = cluster.token(node_id, &cluster.admin, "agents:read").await;
        assert!(cluster.is_active(node_id % 3 + 1, &fresh).await);
    }
}

async fn a_node_without_the_master_key_says_which_one_it_needs(backend: Backend) {
    let scratch = Scratch::new();
    let (first, second) = (master_key(&scratch, "first", 1), master_key(&scratch, "second", 101));
    let mut node: Node = NodeOptions::on(backend)
        .set("keys.master_key_file", &first)
        .start()
        .await;
    let request = node.operator().get("/cluster/keys");
    let operators = fs::read_to_string(node.place.data_dir().join("operator.token")).expect("made");
    let ring = request.bearer(operators.trim()).send().await.expect(200).json();
    let wanted = ring["sealing"]["masterKeyId"].as_str().expect("a text").to_owned();
    assert!(node.stop().await.success());

    node.place.set("keys.master_key_file", &second);
    let refused = node.place.launch().await.expect_err("it can't open anything");
    assert!(
        refused.output.contains(&wanted) && refused.output.contains("keys.former_master_key_files"),
        "{}",
        refused.output
    );
    node.place
        .set("keys.former_master_key_files", shown(&scratch.path("nowhere")));
    let refused = node.place.launch().await.expect_err("a file is missing");
    assert!(refused.output.contains("nowhere"), "{}", refused.output);
    node.place.set("keys.former_master_key_files", &first);
    node.start_again().await;
    node.check_it_works().await;
}
