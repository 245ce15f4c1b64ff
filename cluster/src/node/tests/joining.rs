//! Nodes that join while changes are on their way, in time that passes only while everybody waits.

use openraft::async_runtime::WatchReceiver as _;

use super::*;

impl Trio {
    /// Founders, a leader and another among them, and a fourth node that has not joined.
    async fn before_joining() -> (Self, u64, u64) {
        let (mut trio, leader, follower) = Trio::far_apart().await;
        let inline = |config: &mut ClusterConfig| config.execution = Execution::Inline;
        trio.start_with(4, Founding::Join, inline).await;
        (trio, leader, follower)
    }

    fn entries_are_late(&self, members: &[u64], by: Duration) {
        *self.hub.entries_late.lock().unwrap() = members.iter().map(|member| (*member, by)).collect();
    }

    /// Whether the state of a node has the entry by which it joined.
    fn has_joined(&self, node_id: u64) -> bool {
        let metrics = self.nodes[&node_id].raft.metrics();
        let metrics = metrics.borrow_watched();
        let members = &metrics.membership_config;
        members.membership().get_node(&node_id).is_some()
            && members.log_id().map(|id| id.index) <= metrics.last_applied.map(|id| id.index)
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_asks_a_member_that_its_node_has_not_heard_of_yet() {
    let (trio, leader, follower) = Trio::before_joining().await;
    trio.entries_are_late(&[follower], Duration::from_millis(400));
    trio.handle(leader).add_member(joining(4, "")).await.unwrap();
    assert_eq!(trio.handle(follower).members().len(), 3);
    trio.set_cut_off(&[4]);
    let applied = trio.handle(follower).apply(vec![revoke_token(1)]).await.unwrap();
    assert_eq!(applied.unconfirmed, [NodeId(4)]);
    trio.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_vouches_for_nothing_before_its_state_knows_it_as_a_member() {
    let (trio, leader, _) = Trio::before_joining().await;
    let others: Vec<u64> = (1..=3).filter(|member| *member != leader).collect();
    trio.entries_are_late(&others, Duration::from_millis(600));
    let handle = trio.handle(leader);
    let adding = tokio::spawn(async move { handle.add_member(joining(4, "")).await });
    while !trio.handle(4).status().fresh {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(trio.has_joined(4));
    adding.await.unwrap().unwrap();
    trio.shutdown().await;
}
