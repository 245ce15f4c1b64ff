//! The links between members, elections, and followers that are far behind.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_member_takes_all_have_and_a_new_leader_keeps() {
    let trio = Trio::found().await;
    let first = trio.leader().await;
    trio.revoke(first, 0..10).await;
    trio.all_have(&[1, 2, 3], 10).await;

    trio.set_cut_off(&[first]);
    let second = trio.leader().await;
    assert_ne!(first, second);
    trio.revoke(second, 10..15).await;
    let handle = trio.nodes[&second].handle();
    assert!((0..15).all(|number| handle.is_revoked(&token(number)) == Ok(true)));

    // Whoever is cut off can prove nothing, and vouches for nothing.
    let former = trio.nodes[&first].handle();
    trio.until(|| former.revision().is_err().then_some(())).await;
    assert!(former.is_revoked(&token(3)).is_err());

    trio.set_cut_off(&[]);
    trio.all_have(&[1, 2, 3], 15).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_heard_and_hears_nobody_gives_way() {
    let trio = Trio::found().await;
    let deaf = trio.leader().await;
    trio.revoke(deaf, 0..3).await;
    trio.all_have(&[1, 2, 3], 3).await;
    trio.hub.deaf.lock().unwrap().insert(deaf);
    // An entry that it sends again and again, and that the others take for a sign of life.
    let unheard = trio.handle(deaf);
    let pending = unheard.apply(vec![revoke_token(100)]);
    let next = trio.until(|| {
        let leads = |node_id: &u64| trio.handle(*node_id).status().role == Role::Leader;
        trio.nodes
            .keys()
            .copied()
            .find(|node_id| *node_id != deaf && leads(node_id))
    });
    let (_, next) = tokio::join!(pending, next);
    trio.revoke(next, 10..12).await;
    trio.hub.deaf.lock().unwrap().clear();
    trio.until(|| (trio.handle(deaf).status().role == Role::Follower).then_some(()))
        .await;
    // The entry was taken, or it is proposed again; not to know is all that the caller was told.
    trio.until(|| {
        trio.handle(deaf)
            .is_revoked(&token(11))
            .is_ok_and(|dead| dead)
            .then_some(())
    })
    .await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_far_behind_gets_a_snapshot() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    let late = if leader == 1 { 2 } else { 1 };
    trio.revoke(leader, 0..3).await;
    trio.all_have(&[1, 2, 3], 3).await;
    trio.set_cut_off(&[late]);
    // More than the log keeps behind a snapshot, so that entries alone cannot bring the late one up.
    let kept = 100;
    trio.revoke(leader, 3..kept + 100).await;
    trio.until(|| {
        let raft = &trio.nodes[&leader].raft;
        let purged = openraft::async_runtime::WatchReceiver::borrow_watched(&raft.metrics()).purged;
        purged.is_some_and(|purged| purged.index > 20).then_some(())
    })
    .await;
    trio.set_cut_off(&[]);
    trio.all_have(&[late], 200).await;
    let late = trio.nodes[&late].handle();
    assert!(late.status().snapshot.is_some(), "it could not have come by entries");
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_request_is_answered_and_does_no_harm() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    for garbage in [&b""[..], b"garbage", &[1, 200, 3], &[2, 0]] {
        assert!(!trio.nodes[&leader].handle().answer_peer(garbage).await.is_empty());
    }
    trio.revoke(leader, 0..1).await;
    trio.shutdown().await;
}

#[test]
fn elections_begin_between_the_two_election_timeouts() {
    let millis = Duration::from_millis;
    for (heartbeat, shortest, longest) in [
        (100, 500, 1_000),
        (250, 1_000, 2_000),
        (100, 400, 800),
        (100, 900, 1_000),
    ] {
        let config = ClusterConfig {
            heartbeat: millis(heartbeat),
            election_timeout: (millis(shortest), millis(longest)),
            ..ClusterConfig::new(1, "nowhere")
        };
        config.validate().unwrap();
        let (wait, lease) = (patience(&config), patience(&config).end);
        assert!(lease + wait.start >= millis(shortest), "{wait:?}");
        assert!(lease + wait.end <= millis(longest), "{wait:?}");
        assert!(raft_config(&config).is_ok());
    }
}
