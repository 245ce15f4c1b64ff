//! Who is refused for how it stands, that both sides say why, and that the one that can't go on stops.

use std::sync::Arc;
use std::time::Duration;

use super::support::*;
use super::trust::{refused, with};
use crate::network::tcp::{Endpoint, LocalNode, Standing};

/// A node, its endpoint, and what became of it.
fn node(lab: &Lab, node_id: u64, standing: Standing) -> (Endpoint, Arc<Member>) {
    let member = Arc::new(Member {
        standing,
        ..Member::of(7)
    });
    let local = LocalNode::new(node_id, format!("0.{node_id}"));
    local.say(member.clone());
    (with(local, &lab.endpoint(node_id)), member)
}

fn halted(member: &Member) -> Option<String> {
    member.halted.lock().unwrap().clone()
}

/// The same whoever of the two dials.
async fn the_second_can_not_go_on(ahead: Standing, behind: Standing, reason: &str) {
    for ahead_dials in [true, false] {
        let lab = Lab::new();
        let ids = if ahead_dials { (1, 2) } else { (2, 1) };
        let (first, stays) = node(&lab, ids.0, ahead);
        let (second, stops) = node(&lab, ids.1, behind);
        let reason = reason
            .replace("BEHIND", &format!("node {}", ids.1))
            .replace("AHEAD", &format!("0.{}", ids.0));
        let (dialing, listening) = if ahead_dials { (first, second) } else { (second, first) };
        refused(dialing, listening, &reason, &reason).await;
        assert_eq!(halted(&stays), None);
        let halted = halted(&stops).expect("it stops");
        assert!(halted.contains(&reason), "{halted}");
    }
}

#[tokio::test]
async fn a_version_that_does_not_know_the_format_in_force() {
    let ahead = Standing {
        known: 4,
        in_force: 4,
        ..Standing::default()
    };
    let behind = Standing {
        known: 3,
        in_force: 3,
        ..Standing::default()
    };
    the_second_can_not_go_on(ahead, behind, "install agentidp AHEAD or a later version on BEHIND").await;
}

#[tokio::test]
async fn a_member_of_the_cluster_before_it_was_restored() {
    let restored = Standing {
        restored: 1,
        lineage: uuid::Uuid::from_u128(5),
        ..Standing::default()
    };
    let before = Standing::default();
    the_second_can_not_go_on(
        restored,
        before,
        "remove the data directory of BEHIND and let it join again",
    )
    .await;
}

#[tokio::test]
async fn a_version_that_says_nothing_of_formats_is_told_when_it_dials() {
    let lab = Lab::new();
    let standing = Standing {
        known: 3,
        in_force: 3,
        ..Standing::default()
    };
    let (listening, stays) = node(&lab, 2, standing);
    let reason =
        "knows formats of the replicated state up to 2, node 2 is at 3; install agentidp 0.2 or a later version";
    refused(lab.endpoint(1), listening, reason, reason).await;
    assert_eq!(halted(&stays), None);
}

#[tokio::test]
async fn a_member_that_comes_back_with_nothing() {
    let lab = Lab::new();
    for wiped_dials in [true, false] {
        let ids = if wiped_dials { (2, 1) } else { (1, 2) };
        let member = Arc::new(Member {
            others: vec![ids.1],
            ..Member::of(7)
        });
        let local = LocalNode::new(ids.0, "test");
        local.say(member);
        let knowing = with(local, &lab.endpoint(ids.0));
        let empty = Standing {
            is_empty: true,
            ..Standing::default()
        };
        let (wiped, _) = node(&lab, ids.1, empty);
        let reason = format!("agentidp cluster remove {}; then invite it", ids.1);
        let (dialing, listening) = if wiped_dials {
            (wiped, knowing)
        } else {
            (knowing, wiped)
        };
        refused(dialing, listening, &reason, &reason).await;
    }
}

#[tokio::test]
async fn a_node_greets_nobody_before_it_knows_how_it_stands() {
    let server = serve(plain(2), Arc::new(Backwards)).await;
    let endpoint = Endpoint {
        local: Arc::new(LocalNode::new(1, "test")),
        ..plain(1)
    };
    let caller = Caller::new(endpoint.clone());
    let early = caller.call_within(2, server.address(), b"ab", Duration::from_millis(50));
    assert!(unreachable(early.await.unwrap_err()).contains("before the deadline"));
    endpoint.local.say(Arc::new(Member::of(7)));
    assert_eq!(caller.call(2, server.address(), b"ab").await.unwrap(), b"ba");
}

#[test]
fn nodes_that_greet_each_other_without_a_wire_find_out_the_same() {
    let speaking = |node_id: u64, standing: Standing, others: Vec<u64>| {
        let member = Arc::new(Member {
            standing,
            others,
            ..Member::of(7)
        });
        let local = LocalNode::new(node_id, format!("0.{node_id}"));
        local.say(member.clone());
        (local, member)
    };
    let empty = Standing {
        is_empty: true,
        ..Standing::default()
    };
    let (knowing, _) = speaking(1, Standing::default(), vec![2]);
    let (wiped, _) = speaking(2, empty, Vec::new());
    let (new, _) = speaking(3, empty, Vec::new());
    for refusal in [knowing.greet(&wiped), wiped.greet(&knowing)] {
        assert!(refusal.expect_err("refused").contains("agentidp cluster remove 2"));
    }
    assert_eq!((knowing.greet(&new), new.greet(&knowing)), (Ok(()), Ok(())));
    let ahead = Standing {
        known: 4,
        in_force: 4,
        ..Standing::default()
    };
    let (ahead, stays) = speaking(4, ahead, Vec::new());
    assert!(ahead.greet(&knowing).is_err());
    let (behind, stops) = speaking(5, Standing::default(), Vec::new());
    assert!(ahead.greet(&behind).is_err());
    assert!(halted(&stops).is_some() && halted(&stays).is_none());
}
