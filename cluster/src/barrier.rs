//! Waiting until every member that can be reached has a change in force, so that its answer is true everywhere.

use std::time::Duration;

use domain::{NodeId, Revision};
use futures::future::join_all;
use tokio::time::timeout;

use crate::leader::LeaderLink;
use crate::members;
use crate::network::{Peer, PeerAnswer, PeerRequest, Peers};
use crate::publish::Published;

/// Waits until all members have reached `revision`, for `limit` at most; answers who has not said so.
pub(crate) async fn confirm_everywhere(
    leader: &LeaderLink,
    published: &Published,
    revision: Revision,
    limit: Duration,
) -> Vec<NodeId> {
    let (raft, peers) = (leader.raft(), leader.peers());
    let others = members::others(raft);
    let asked = others.iter().map(|peer| async move {
        let confirmed = confirms(peers, peer, revision, limit).await;
        (!confirmed).then_some(NodeId(peer.node_id))
    });
    let here = timeout(limit, published.reached(revision));
    let (here, there) = tokio::join!(here, join_all(asked));
    let me = here.is_err().then_some(NodeId(*raft.node_id()));
    there.into_iter().flatten().chain(me).collect()
}

/// A member that can't be reached has not confirmed, and is not waited for.
async fn confirms(peers: &Peers, peer: &Peer, revision: Revision, limit: Duration) -> bool {
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let request = PeerRequest::AwaitRevision { revision, limit_ms };
    matches!(peers.ask(peer, &request, limit).await, Ok(PeerAnswer::Reached(true)))
}
