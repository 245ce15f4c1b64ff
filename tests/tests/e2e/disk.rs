//! A disk that is full: at the start it is named, later nothing is answered that is not kept.

use e2e::full_disk::SmallDisk;
use e2e::node::{Place, token_form};
use e2e::{Backend, Node, NodeOptions, eventually, jwt, on_both_stores};

on_both_stores!(
    a_full_disk_at_the_start_is_named,
    a_disk_that_fills_up_loses_nothing_that_was_answered,
    a_node_that_can_not_write_its_log_ends_and_says_why
);

const REASON: &str = "a file system can't be mounted here";

/// A place whose data directory lies on a disk of its own. The disk is dropped after the place.
async fn place_on(disk: &SmallDisk, backend: Backend) -> Place {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let data = disk.path().join("data");
    std::fs::DirBuilder::new().create(&data).expect("an empty disk");
    std::fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("it is ours");
    std::os::unix::fs::symlink(&data, place.data_dir()).expect("the scratch directory can be written");
    place
}

async fn a_full_disk_at_the_start_is_named(backend: Backend) {
    let Some(disk) = SmallDisk::mount(4) else {
        return e2e::skip::note("disk::a_full_disk_at_the_start_is_named", REASON);
    };
    let place = place_on(&disk, backend).await;
    disk.fill();
    let failed = place.launch().await.expect_err("the disk is full");
    assert!(!failed.status.success());
    assert!(failed.output.to_lowercase().contains("space"), "{failed:?}");
    assert!(!failed.output.contains("panicked"), "{failed:?}");
}

async fn a_disk_that_fills_up_loses_nothing_that_was_answered(backend: Backend) {
    let Some(disk) = SmallDisk::mount(200) else {
        return e2e::skip::note("disk::a_disk_that_fills_up_loses_nothing_that_was_answered", REASON);
    };
    let mut node = Node::first(place_on(&disk, backend).await).await;
    let client = node.admin().await.new_client().await;
    disk.fill();
    let ask = || {
        node.api()
            .post("/oauth2/token")
            .basic(&client)
            .form(&token_form(""))
            .try_send()
    };
    let mut answered = Vec::new();
    for _ in 0..200 {
        match ask().await {
            Ok(answer) if answer.status == 200 => {
                answered.push(answer.json()["access_token"].as_str().expect("a token").to_owned())
            }
            Ok(answer) => assert!(answer.status >= 500, "{answer:?}"),
            Err(_) => {}
        }
    }
    disk.empty();
    if !node.process().is_running() {
        node.start_again().await;
    }
    let recovered = eventually("the node to work again", async || {
        let answer = node
            .api()
            .post("/oauth2/token")
            .basic(&client)
            .form(&token_form(""))
            .try_send()
            .await;
        answer.ok().filter(|answer| answer.status == 200)
    });
    let _ = recovered.await;
    node.kill();
    node.start_again().await;
    let admin = node.admin().await;
    assert_eq!(admin.verify().await["verified"], true);
    let issued = admin.audit("action=token.issued").await;
    for token in &answered {
        let jti = jwt::parts(token).1["jti"].clone();
        assert!(
            issued.iter().any(|event| event["metadata"]["jti"] == jti),
            "a token was answered without its record"
        );
        assert!(node.is_active(token).await);
    }
}

/// It once went on for ever, answering 503, until somebody noticed.
async fn a_node_that_can_not_write_its_log_ends_and_says_why(backend: Backend) {
    let Some(disk) = SmallDisk::mount(200) else {
        return e2e::skip::note("disk::a_node_that_can_not_write_its_log_ends_and_says_why", REASON);
    };
    let mut node = Node::first(place_on(&disk, backend).await).await;
    let token = node.token(&node.admin, "").await;
    disk.fill();
    let revoke = || {
        let request = node.api().post("/oauth2/revoke").basic(&node.admin);
        request.form(&[("token", &token)]).try_send()
    };
    // The log's file has room for some entries, and each revocation is one.
    for _ in 0..5_000 {
        if revoke().await.is_err() {
            break;
        }
    }
    let status = node.process().exit().await;
    assert!(!status.success());
    let said = node.place.log();
    assert!(said.contains("can't go on") && said.contains("No space left"), "{said}");
    disk.empty();
    node.start_again().await;
    node.check_it_works().await;
}
