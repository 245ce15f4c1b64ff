//! Drains the node when it is about to be removed from its cluster: it is not ready from then on, so that it is sent no more
//! requests, and says when it has answered those that it has.

use std::time::Duration;

use cluster::ClusterHandle;
use tokio::time::sleep;

use crate::http::health::Health;
use crate::http::request_count::RequestCount;

/// A node that is still a member so long after it was drained goes on: its removal has come to nothing.
const REMOVED_WITHIN: Duration = Duration::from_secs(30);

/// Runs until the replicated state is closed.
pub async fn follow(cluster: ClusterHandle, health: Health, requests: RequestCount) {
    let node_id = cluster.status().node_id;
    let mut asked = cluster.drain_asked();
    while asked.changed().await.is_ok() {
        let number = *asked.borrow_and_update();
        tracing::info!("this node is about to be removed; it is not ready any more");
        health.set_removing(true);
        requests.none().await;
        cluster.drained(number);
        sleep(REMOVED_WITHIN).await;
        if cluster.members().iter().any(|member| member.node_id == node_id) {
            tracing::warn!("this node was not removed after all; it is ready again");
            health.set_removing(false);
        }
    }
}
