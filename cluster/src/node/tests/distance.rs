//! What a change costs where members are far apart: in time that passes only while everybody waits.

use super::*;
use crate::execution::Execution;

/// How long a message is under way.
const ONE_WAY: Duration = Duration::from_millis(50);
/// What batching may add, and timers that go by the millisecond.
const BESIDES: Duration = Duration::from_millis(8);

impl Trio {
    pub(super) async fn far_apart() -> (Self, u64, u64) {
        let change = |config: ClusterConfig| ClusterConfig {
            execution: Execution::Inline,
            heartbeat: Duration::from_millis(300),
            election_timeout: (Duration::from_millis(1_500), Duration::from_secs(3)),
            max_revocation_staleness: Duration::from_secs(60),
            snapshot_every: 10_000,
            ..config
        };
        let trio = Self::found_with(change).await;
        trio.hub.one_way_ms.store(50, Relaxed);
        let is_noticed = |node: &ClusterNode| node.handle().distance() >= Some(ONE_WAY);
        trio.until(|| trio.nodes.values().all(is_noticed).then_some(())).await;
        let leader = trio.leader().await;
        trio.all_fresh().await;
        (trio, leader, if leader == 1 { 2 } else { 1 })
    }

    async fn takes(&self, at: u64, change: ReplicatedChange) -> Duration {
        let begun_at = Instant::now();
        let applied = self.handle(at).apply(vec![change]).await.unwrap();
        assert_eq!(applied.unconfirmed, []);
        begun_at.elapsed()
    }
}

/// So many half round trips, and no more than what comes besides.
#[track_caller]
fn assert_hops(took: Duration, hops: u32) {
    let least = ONE_WAY * hops;
    assert!(
        (least..least + BESIDES).contains(&took),
        "{took:?}, not {hops} times {ONE_WAY:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_dead_everywhere_after_one_round_trip_at_the_leader_and_one_and_a_half_elsewhere() {
    let (trio, leader, follower) = Trio::far_apart().await;
    // The first goes alone, before entries follow each other.
    trio.revoke(leader, 0..3).await;
    assert_hops(trio.takes(leader, revoke_token(10)).await, 2);
    assert!((1..=3).all(|member| trio.handle(member).is_revoked(&token(10)) == Ok(true)));
    assert_hops(trio.takes(follower, revoke_token(11)).await, 3);
    assert!((1..=3).all(|member| trio.handle(member).is_revoked(&token(11)) == Ok(true)));
    trio.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_must_be_applied_everywhere_takes_one_round_trip_more() {
    let (trio, leader, follower) = Trio::far_apart().await;
    trio.revoke(leader, 0..3).await;
    assert_hops(trio.takes(leader, agent_changed(1)).await, 4);
    assert_hops(trio.takes(follower, agent_changed(2)).await, 5);
    trio.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn those_that_come_while_others_are_on_their_way_do_not_wait_for_them() {
    let (trio, leader, follower) = Trio::far_apart().await;
    trio.revoke(leader, 0..3).await;
    let trio = Arc::new(trio);
    let revoking = (0..60u64).map(|number| {
        let trio = trio.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(number * 7)).await;
            trio.takes(follower, revoke_token(100 + u128::from(number))).await
        })
    });
    for revoked in revoking.collect::<Vec<_>>() {
        assert_hops(revoked.await.unwrap(), 3);
    }
    Arc::into_inner(trio).unwrap().shutdown().await;
}
