//! Starting, starting again, and stopping.

use std::time::Duration;

use e2e::node::{ALL_SCOPES, Place};
use e2e::{Backend, Node, NodeOptions, Wire, eventually, on_both_stores, wire};
use serde_json::json;

on_both_stores!(
    the_first_start_prints_a_secret_and_the_second_none,
    a_start_warns_of_no_stale_view,
    the_line_for_programs_has_the_promised_members,
    a_lost_secret_can_be_replaced,
    an_administrator_that_was_suspended_or_renamed_comes_back,
    port_zero_picks_a_free_port,
    sigterm_finishes_what_is_in_flight_and_exits_0,
    sigint_is_the_same,
    a_request_that_never_ends_does_not_hold_up_the_stop_for_ever,
    a_second_signal_ends_the_process_at_once,
    a_port_that_is_taken_is_named,
    a_data_directory_that_can_not_be_used_is_named,
    two_nodes_do_not_share_a_data_directory,
);

async fn the_first_start_prints_a_secret_and_the_second_none(backend: Backend) {
    let mut node = Node::start(backend).await;
    let (first, issuer) = (node.announcement.clone(), node.issuer().to_owned());
    for crash in [false, true] {
        if crash {
            node.kill();
        } else {
            assert!(node.stop().await.success());
        }
        node.start_again().await;
        assert_eq!(node.announcement.0["clientSecret"], json!(null));
        for member in ["clientId", "organizationId", "dataDir"] {
            assert_eq!(node.announcement.0[member], first.0[member], "{member}");
        }
        assert_eq!(node.issuer(), issuer);
        node.check_it_works().await;
    }
}

/// There is no leader in the first moments of a start, so nobody vouches for the view of revocations yet.
async fn a_start_warns_of_no_stale_view(backend: Backend) {
    let patient = NodeOptions::on(backend)
        .set("cluster.max_revocation_staleness", "10m")
        .set("keys.clock_skew", "10m");
    let mut node = patient.start().await;
    node.start_again().await;
    node.check_it_works().await;
    let log = node.place.log();
    assert!(log.contains("serving") && !log.contains("revocations"), "{log}");
}

async fn the_line_for_programs_has_the_promised_members(backend: Backend) {
    let mut node = Node::start(backend).await;
    let members: Vec<&str> = node
        .announcement
        .0
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        [
            "clientId",
            "clientSecret",
            "dataDir",
            "issuer",
            "operatorUrl",
            "organizationId",
            "pid"
        ]
    );
    let pid = node.process().id();
    assert_eq!(node.announcement.0["pid"], pid);
    assert_eq!(
        node.announcement.text("dataDir"),
        node.place.data_dir().display().to_string()
    );
    assert_eq!(node.issuer(), format!("http://{}", node.place.address()));
}

async fn a_lost_secret_can_be_replaced(backend: Backend) {
    let mut node = Node::start(backend).await;
    let old = node.admin.clone();
    node.stop().await;
    let mut command = node.place.dev_command();
    let (_process, announcement) = node
        .place
        .launch_with(command.arg("--new-admin-secret"))
        .await
        .expect("a start");
    let secret = announcement.text("clientSecret");
    assert_ne!(secret, old.secret);
    let form = [("grant_type", "client_credentials")];
    let _ = node
        .api()
        .post("/oauth2/token")
        .basic(&old.with_secret(secret))
        .form(&form)
        .send()
        .await
        .expect(200);
    node.api()
        .post("/oauth2/token")
        .basic(&old)
        .form(&form)
        .send()
        .await
        .expect_oauth_error(401, "invalid_client");
}

/// Whoever has the data directory operates the installation, whatever became of its administrator.
async fn an_administrator_that_was_suspended_or_renamed_comes_back(backend: Backend) {
    let mut node = Node::start(backend).await;
    let admin = node.admin().await;
    let path = format!("/api/v1/agents/{}", node.admin.id);
    let changed = json!({ "email": "root@agents.example", "status": "suspended" });
    let _ = admin.patch(&path, &changed).send().await.expect(200);
    node.stop().await;
    node.start_again().await;
    assert_eq!(node.announcement.text("clientId"), node.admin.id);
    node.stop().await;
    let mut command = node.place.dev_command();
    let started = node.place.launch_with(command.arg("--new-admin-secret")).await;
    let (_process, announcement) = started.expect("a start");
    assert_eq!(announcement.text("clientId"), node.admin.id);
    let client = node.admin.clone().with_secret(announcement.text("clientSecret"));
    let token = node.token(&client, ALL_SCOPES).await;
    let list = node.api().get("/api/v1/agents").bearer(&token).send().await;
    let list = list.expect(200).json();
    assert_eq!(list["total"], 1, "{list}");
    assert_eq!(list["data"][0]["email"], "root@agents.example");
    assert_eq!(list["data"][0]["status"], "active");
}

async fn port_zero_picks_a_free_port(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    let data_dir = place.data_dir().display().to_string();
    let mut command = place.command(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--operator-listen",
        "127.0.0.1:0",
        "--data-dir",
        &data_dir,
        "--json",
    ]);
    let (_process, announcement) = place.launch_with(&mut command).await.expect("a start");
    for url in ["issuer", "operatorUrl"] {
        let url = announcement.text(url);
        assert!(!url.ends_with(":0"), "{url}");
        let _ = e2e::Api::at(url).get("/health/ready").send().await.expect(200);
    }
}

/// A connection with a request whose head the node has read and whose body it waits for, and the end of that body.
async fn in_flight(node: &Node) -> (Wire, &'static str) {
    let body = "grant_type=client_credentials";
    let head = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        node.admin.basic(),
        body.len()
    );
    let mut wire = Wire::to(node.place.address()).await;
    wire.send(head).await;
    // The node asks for the body (RFC 9110 §10.1.1): so it has begun.
    assert_eq!(wire.response().await.expect("an interim answer").0, 100);
    let (start, end) = body.split_at(body.len() - 1);
    wire.send(start).await;
    (wire, end)
}

async fn no_longer_accepts(node: &Node) {
    eventually("the listener to close", async || {
        tokio::net::TcpStream::connect(node.place.address())
            .await
            .is_err()
            .then_some(())
    })
    .await;
}

async fn sigterm_finishes_what_is_in_flight_and_exits_0(backend: Backend) {
    let mut node = Node::start(backend).await;
    let (mut wire, rest) = in_flight(&node).await;
    node.process().signal("TERM");
    no_longer_accepts(&node).await;
    assert!(node.process().is_running(), "a request is in flight");
    wire.send(rest).await;
    let (status, text) = wire.response().await.expect("an answer");
    assert_eq!(status, 200, "{text}");
    assert_eq!(node.process().exit().await.code(), Some(0));
    // What was answered while it went down is kept.
    node.start_again().await;
    let issued = node.admin().await.audit("action=token.issued").await;
    assert_eq!(issued.len(), 2, "that one, and the one that reads this");
}

async fn sigint_is_the_same(backend: Backend) {
    let mut node = Node::start(backend).await;
    node.process().signal("INT");
    assert_eq!(node.process().exit().await.code(), Some(0));
}

async fn a_request_that_never_ends_does_not_hold_up_the_stop_for_ever(backend: Backend) {
    let mut node = NodeOptions::on(backend)
        .set("server.drain_timeout", "500ms")
        .set("server.request_timeout", "10m")
        .start()
        .await;
    let (_wire, _) = in_flight(&node).await;
    node.process().signal("TERM");
    let status = node.process().exit_within(Duration::from_secs(25)).await;
    assert_eq!(status.code(), Some(0));
}

async fn a_second_signal_ends_the_process_at_once(backend: Backend) {
    let mut node = NodeOptions::on(backend)
        .set("server.drain_timeout", "10m")
        .set("server.request_timeout", "10m")
        .start()
        .await;
    let (_wire, _) = in_flight(&node).await;
    node.process().signal("TERM");
    no_longer_accepts(&node).await;
    assert!(node.process().is_running());
    node.process().signal("TERM");
    let status = node.process().exit_within(Duration::from_secs(25)).await;
    assert_ne!(status.code(), Some(0), "something was cut off");
}

async fn a_port_that_is_taken_is_named(backend: Backend) {
    for option in ["--listen", "--operator-listen"] {
        let place = Place::fresh(NodeOptions::on(backend)).await;
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address").to_string();
        let other = if option == "--listen" {
            "--operator-listen"
        } else {
            "--listen"
        };
        let data_dir = place.data_dir().display().to_string();
        let mut command = place.command(&[
            "dev",
            option,
            &address,
            other,
            "127.0.0.1:0",
            "--data-dir",
            &data_dir,
            "--json",
        ]);
        let failed = place.launch_with(&mut command).await.expect_err("the port is taken");
        assert!(!failed.status.success());
        assert!(
            failed.output.contains(&address) && failed.output.contains(option),
            "names the address and the way out: {failed:?}"
        );
        assert!(!failed.output.contains("panicked"), "{failed:?}");
    }
}

async fn a_data_directory_that_can_not_be_used_is_named(backend: Backend) {
    let place = Place::fresh(NodeOptions::on(backend)).await;
    std::fs::write(place.data_dir(), "a file, not a directory").expect("the scratch directory can be written");
    let mut paths = vec![place.data_dir(), "/proc/agentidp/data".into()];
    let unreadable = place.scratch.path("unreadable");
    std::fs::create_dir(&unreadable).expect("the scratch directory can be written");
    std::fs::set_permissions(&unreadable, std::os::unix::fs::PermissionsExt::from_mode(0o000)).expect("it is ours");
    if std::fs::read_dir(&unreadable).is_err() {
        paths.push(unreadable.clone());
    }
    for path in paths {
        let path = path.display().to_string();
        let mut command = place.command(&[
            "dev",
            "--listen",
            "127.0.0.1:0",
            "--operator-listen",
            "127.0.0.1:0",
            "--data-dir",
            &path,
            "--json",
        ]);
        let failed = place
            .launch_with(&mut command)
            .await
            .expect_err("there is no such directory");
        assert!(!failed.status.success());
        assert!(
            failed.output.contains(&path) && !failed.output.contains("panicked"),
            "{failed:?}"
        );
    }
    std::fs::set_permissions(&unreadable, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("it is ours");
}

async fn two_nodes_do_not_share_a_data_directory(backend: Backend) {
    let node = Node::start(backend).await;
    let data_dir = node.place.data_dir().display().to_string();
    let mut command = node.place.command(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--operator-listen",
        "127.0.0.1:0",
        "--data-dir",
        &data_dir,
        "--json",
    ]);
    let failed = node
        .place
        .launch_with(&mut command)
        .await
        .expect_err("the directory is in use");
    assert!(!failed.status.success());
    assert!(
        failed.output.contains(&data_dir) && !failed.output.contains("panicked"),
        "{failed:?}"
    );
    node.check_it_works().await;
    let answer = wire::exchange(
        node.place.address(),
        "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(wire::status(&answer), Some(200));
}
