//! Changes that are made at any member: where they are in force when they answer, and that they are applied once.

use domain::{Applied, NodeId};

use super::*;

impl Trio {
    /// Nodes next door in time that passes only while everybody waits, and one that does not lead. The leader has proposed
    /// whatever it does by itself, so that revisions count what the test does.
    async fn at_rest() -> (Self, u64) {
        let (trio, leader, follower) = Trio::far_apart().await;
        trio.hub.one_way_ms.store(0, Relaxed);
        let is_done = |handle: &ClusterHandle| handle.placed_on() == [1, 2, 3] && handle.status().format == NEWEST;
        trio.until(|| is_done(&trio.handle(leader)).then_some(())).await;
        (trio, follower)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_member_takes_a_change_and_it_is_in_force_everywhere_when_it_answers() {
    let trio = Trio::found().await;
    trio.leader().await;
    trio.all_fresh().await;
    for node_id in 1..=3 {
        let number = u128::from(node_id);
        let applied = trio.handle(node_id).apply(vec![revoke_token(number)]).await.unwrap();
        assert_eq!(applied.unconfirmed, []);
        for other in 1..=3 {
            // On a slow machine a member may be unable to prove its view; vouch for the token it may not.
            assert_ne!(trio.handle(other).is_revoked(&token(number)), Ok(false), "node {other}");
        }
    }
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_names_the_members_that_have_not_confirmed_it() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    trio.all_fresh().await;
    let [away, writer]: [u64; 2] = (1..=3)
        .filter(|node_id| *node_id != leader)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    trio.set_cut_off(&[away]);
    let applied = trio.handle(writer).apply(vec![revoke_token(1)]).await.unwrap();
    assert_eq!(applied.unconfirmed, [NodeId(away)]);
    // Whoever has not confirmed vouches for nothing before long, and learns of it when it is back.
    trio.until(|| trio.handle(away).is_revoked(&token(1)).is_err().then_some(()))
        .await;
    trio.set_cut_off(&[]);
    trio.until(|| (trio.handle(away).is_revoked(&token(1)) == Ok(true)).then_some(()))
        .await;
    trio.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_is_lost_is_applied_once() {
    let (trio, follower) = Trio::at_rest().await;
    let Applied { revision, .. } = trio.handle(follower).apply(vec![revoke_token(1)]).await.unwrap();
    trio.hub.lose_answers.store(3, Relaxed);
    // What kills no single token is known to be done by the leader's answer alone.
    let changes = vec![agent_changed(2), agent_changed(3)];
    let applied = trio.handle(follower).apply(changes).await.unwrap();
    assert_eq!(trio.hub.lose_answers.load(Relaxed), 0, "it went out four times");
    assert_eq!(applied.revision.0, revision.0 + 2, "and was applied once");
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_members_hold_answers_for_the_leader() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    trio.all_fresh().await;
    let follower = if leader == 1 { 2 } else { 1 };
    trio.hub.lose_answers.store(usize::MAX, Relaxed);
    let applied = trio.handle(follower).apply(vec![revoke_token(1)]).await.unwrap();
    assert_eq!(applied.unconfirmed, []);
    for member in 1..=3 {
        assert_ne!(trio.handle(member).is_revoked(&token(1)), Ok(false), "node {member}");
    }
    trio.all_have(&[1, 2, 3], 1).await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_no_majority_has_is_refused_where_it_is_until_another_leader_cuts_it_off() {
    let trio = Trio::found().await;
    let former = trio.leader().await;
    trio.all_fresh().await;
    trio.set_cut_off(&[former]);
    let alone = trio.handle(former);
    let outcome = alone.apply(vec![revoke_token(1)]).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_ne!(alone.is_revoked(&token(1)), Ok(false));
    assert!(alone.status().last_log > alone.status().last_applied);
    let leader = trio.leader().await;
    assert_ne!(leader, former);
    trio.revoke(leader, 2..3).await;
    trio.set_cut_off(&[]);
    trio.until(|| (trio.handle(former).is_revoked(&token(2)) == Ok(true)).then_some(()))
        .await;
    for member in 1..=3 {
        assert_ne!(trio.handle(member).is_revoked(&token(1)), Ok(true), "node {member}");
    }
    trio.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn many_batches_at_once_over_a_network_that_mixes_them_up_are_each_applied_once() {
    let (trio, _) = Trio::at_rest().await;
    let before = trio.handle(1).status().revision.0;
    trio.hub.is_unsteady.store(true, Relaxed);
    let callers = (0..90u64).map(|number| {
        let handle = trio.handle(1 + number % 3);
        tokio::spawn(async move {
            sleep(Duration::from_millis(number)).await;
            handle.apply(vec![revoke_token(u128::from(number))]).await.map(drop)
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap().unwrap();
    }
    trio.all_have(&[1, 2, 3], 90).await;
    assert_eq!(trio.handle(1).status().revision.0, before + 90);
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_made_while_the_leader_is_lost_waits_for_the_next_one() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    trio.all_fresh().await;
    let follower = if leader == 1 { 2 } else { 1 };
    trio.set_cut_off(&[leader]);
    let applied = trio.handle(follower).apply(vec![revoke_token(7)]).await.unwrap();
    assert_eq!(applied.unconfirmed, [NodeId(leader)]);
    trio.until(|| (trio.handle(follower).is_revoked(&token(7)) == Ok(true)).then_some(()))
        .await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_nothing_is_changed_and_nobody_vouches() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    trio.all_fresh().await;
    trio.set_cut_off(&[1, 2, 3]);
    let refused = trio.handle(leader).apply(vec![revoke_token(1)]).await;
    assert!(refused.is_err(), "{refused:?}");
    trio.until(|| {
        (1..=3)
            .all(|node_id| trio.handle(node_id).revision().is_err())
            .then_some(())
    })
    .await;
    trio.set_cut_off(&[]);
    trio.all_fresh().await;
    trio.shutdown().await;
}
