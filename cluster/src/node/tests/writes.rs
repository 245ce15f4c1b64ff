//! Changes that are made at any member: where they are in force when they answer, and that they are applied once.

use domain::{Applied, NodeId};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_member_takes_a_change_and_it_is_in_force_everywhere_when_it_answers() {
    let trio = Trio::found().await;
    trio.leader().await;
    trio.all_fresh().await;
    for node_id in 1..=3 {
        let number = u128::from(node_id);
        let applied = trio.handle(node_id).apply(vec![revocation(number)]).await.unwrap();
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
    let applied = trio.handle(writer).apply(vec![revocation(1)]).await.unwrap();
    assert_eq!(applied.unconfirmed, [NodeId(away)]);
    // Whoever has not confirmed vouches for nothing before long, and learns of it when it is back.
    trio.until(|| trio.handle(away).is_revoked(&token(1)).is_err().then_some(()))
        .await;
    trio.set_cut_off(&[]);
    trio.until(|| (trio.handle(away).is_revoked(&token(1)) == Ok(true)).then_some(()))
        .await;
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_answer_is_lost_is_applied_once() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    trio.all_fresh().await;
    let follower = if leader == 1 { 2 } else { 1 };
    let Applied { revision, .. } = trio.handle(follower).apply(vec![revocation(1)]).await.unwrap();
    trio.hub.lose_answers.store(3, Relaxed);
    let changes = vec![revocation(2), revocation(3)];
    let applied = trio.handle(follower).apply(changes).await.unwrap();
    assert_eq!(trio.hub.lose_answers.load(Relaxed), 0, "it went out four times");
    assert_eq!(applied.revision.0, revision.0 + 2, "and was applied once");
    trio.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_made_while_the_leader_is_lost_waits_for_the_next_one() {
    let trio = Trio::found().await;
    let leader = trio.leader().await;
    trio.all_fresh().await;
    let follower = if leader == 1 { 2 } else { 1 };
    trio.set_cut_off(&[leader]);
    let applied = trio.handle(follower).apply(vec![revocation(7)]).await.unwrap();
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
    let refused = trio.handle(leader).apply(vec![revocation(1)]).await;
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
