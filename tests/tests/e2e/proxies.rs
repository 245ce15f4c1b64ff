//! `server.trusted_proxies`: whose `X-Forwarded-For` is believed, and what of it.

use e2e::{Backend, Node, NodeOptions, eventually, on_both_stores};
use serde_json::json;

on_both_stores!(
    nobody_is_believed_by_default,
    a_peer_that_is_no_trusted_proxy_is_not_believed,
    the_right_most_address_that_no_trusted_proxy_has_is_taken,
    nothing_left_of_an_unreadable_hop_is_believed,
    a_failed_authentication_names_the_real_client,
);

async fn behind(backend: Backend, trusted: &str) -> Node {
    NodeOptions::on(backend)
        .set("server.trusted_proxies", trusted)
        .start()
        .await
}

/// The address that the audit log has for an agent that was registered with these headers.
async fn recorded(node: &Node, forwarded: &[&str]) -> String {
    let admin = node.admin().await;
    let mut request = admin.post("/api/v1/agents", &e2e::session::agent_body());
    for list in forwarded {
        request = request.header("x-forwarded-for", list);
    }
    let agent = request.send().await.expect(201).json()["agentId"].clone();
    let events = admin.audit("action=agent.created").await;
    let event = events
        .iter()
        .find(|event| event["metadata"].to_string().contains(agent.as_str().expect("an id")))
        .unwrap_or_else(|| panic!("{agent} in {events:?}"));
    event["ipAddress"].as_str().expect("an address").to_owned()
}

async fn nobody_is_believed_by_default(backend: Backend) {
    let node = Node::start(backend).await;
    assert_eq!(recorded(&node, &["203.0.113.7"]).await, "127.0.0.1");
}

async fn a_peer_that_is_no_trusted_proxy_is_not_believed(backend: Backend) {
    let node = behind(backend, "10.0.0.1, 203.0.113.7").await;
    for forged in ["203.0.113.8", "203.0.113.7", "203.0.113.8, 10.0.0.1", "127.0.0.1"] {
        assert_eq!(recorded(&node, &[forged]).await, "127.0.0.1", "{forged}");
    }
}

async fn the_right_most_address_that_no_trusted_proxy_has_is_taken(backend: Backend) {
    let node = behind(backend, "127.0.0.1, 10.0.0.1").await;
    // What the caller wrote itself stands on the left; each proxy adds whoever called it on the right.
    for (forwarded, address) in [
        (&["203.0.113.7"][..], "203.0.113.7"),
        (&["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (&["198.51.100.1, 203.0.113.7, 10.0.0.1"], "203.0.113.7"),
        (&["10.0.0.1, 203.0.113.7,10.0.0.1 "], "203.0.113.7"),
        (&["198.51.100.1", "203.0.113.7", "10.0.0.1"], "203.0.113.7"),
        (&["198.51.100.1, 2001:db8::7"], "2001:db8::7"),
        (&["198.51.100.1, 203.0.113.7:51234"], "203.0.113.7"),
        (&[], "127.0.0.1"),
    ] {
        assert_eq!(recorded(&node, forwarded).await, address, "{forwarded:?}");
    }
}

async fn nothing_left_of_an_unreadable_hop_is_believed(backend: Backend) {
    let node = behind(backend, "127.0.0.1, 10.0.0.1").await;
    for (forwarded, address) in [
        ("nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("198.51.100.1, unknown", "127.0.0.1"),
        ("198.51.100.1, unknown, 10.0.0.1", "10.0.0.1"),
        ("unknown, 203.0.113.7", "203.0.113.7"),
    ] {
        assert_eq!(recorded(&node, &[forwarded]).await, address, "{forwarded:?}");
    }
}

async fn a_failed_authentication_names_the_real_client(backend: Backend) {
    let node = behind(backend, "127.0.0.1").await;
    let admin = node.admin().await;
    let wrong = node.admin.with_secret(&format!("sk_live_{}", "f".repeat(64)));
    let request = node.api().post("/oauth2/token").basic(&wrong);
    let request = request.header("x-forwarded-for", "198.51.100.1, 203.0.113.7");
    let answer = request.form(&[("grant_type", "client_credentials")]).send().await;
    answer.expect_oauth_error(401, "invalid_client");
    // The record is not waited for: the time that an answer takes would tell which clients exist.
    let failure = async || admin.audit("action=auth.failed").await.into_iter().next();
    let event = eventually("the failure in the log", failure).await;
    assert_eq!(event["ipAddress"], json!("203.0.113.7"));
}
