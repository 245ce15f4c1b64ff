//! A node that was removed while it was down hears nothing any more: to the others it is nobody whom they would tell. So a node
//! that can't prove that its view is recent asks those whom it knows as members whether it still belongs to them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use crate::freshness::Freshness;
use crate::halt::Halt;
use crate::leader::{LeaderError, LeaderLink, read_index_here};
use crate::members;
use crate::network::{PeerAnswer, PeerRequest};
use crate::raft_types::Raft;

/// How often it asks; and how long the others may take to answer.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Asks from time to time, and ends this node's part in the consensus when it is told that it was removed.
pub(crate) async fn keep_belonging(leader: LeaderLink, freshness: Arc<Freshness>, halt: Arc<Halt>) {
    let mut rounds = interval(ASK_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // The first round is at once, when nothing can be proven yet.
        rounds.tick().await;
        if !freshness.is_fresh() && is_removed(&leader).await {
            let node_id = leader.raft().node_id();
            halt.ask(format!(
                "node {node_id} was removed from its cluster; to have it join again, empty its data directory and invite it \
                 with agentidp cluster invite"
            ));
            return;
        }
    }
}

/// Whether a leader says so. Nobody else can know.
async fn is_removed(leader: &LeaderLink) -> bool {
    let raft = leader.raft();
    let request = PeerRequest::IsMember(*raft.node_id());
    let others = members::others(raft);
    let asking = others.iter().map(|peer| leader.peers().ask(peer, &request, ASK_EVERY));
    let answers = join_all(asking).await;
    answers
        .iter()
        .any(|answer| matches!(answer, Ok(PeerAnswer::IsMember(false))))
}

/// Whether a node is a member, as far as it is committed; for this node to say if it leads.
pub(crate) async fn is_member(raft: &Raft, node_id: u64) -> Result<bool, LeaderError> {
    // A leader that has just begun may hold changes of the members that it does not know to be committed yet.
    let index = read_index_here(raft).await?;
    let applying = raft.wait(Some(ASK_EVERY));
    let applied = applying.applied_index_at_least(Some(index), "what is committed").await;
    applied.map_err(|_| LeaderError::NotLeader)?;
    let looking = raft.with_raft_state(move |state| {
        let committed = state.membership_state.committed();
        committed.membership().get_node(&node_id).is_some()
    });
    looking.await.map_err(|fatal| LeaderError::Stopped(fatal.to_string()))
}
