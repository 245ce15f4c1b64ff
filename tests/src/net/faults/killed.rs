//! Processes that end without a chance to do anything, and are started again.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Outcome, list};
use crate::net::failure::Failure;
use crate::net::scene::Scene;

/// How long they are gone: longer than two elections.
const GONE: Duration = Duration::from_secs(3);

pub(super) async fn leader(scene: &mut Scene) -> Result<Outcome, Failure> {
    let leader = scene.cluster.leader().await?;
    kill(scene, BTreeSet::from([leader])).await
}

pub(super) async fn follower(scene: &mut Scene) -> Result<Outcome, Failure> {
    let follower = scene.some_follower().await?;
    kill(scene, BTreeSet::from([follower])).await
}

pub(super) async fn minority(scene: &mut Scene) -> Result<Outcome, Failure> {
    let nodes = minority_with_leader(scene).await?;
    kill(scene, nodes).await
}

/// The leader and as many others as the cluster can lose with it.
pub(super) async fn minority_with_leader(scene: &mut Scene) -> Result<BTreeSet<u64>, Failure> {
    let all = scene.cluster.node_ids();
    let mut nodes = BTreeSet::from([scene.cluster.leader().await?]);
    while nodes.len() < (all.len() - 1) / 2 {
        nodes.insert(scene.some_node());
    }
    Ok(nodes)
}

async fn kill(scene: &mut Scene, nodes: BTreeSet<u64>) -> Result<Outcome, Failure> {
    scene.may_lag(&nodes);
    for node_id in &nodes {
        scene.cluster.member(*node_id)?.kill();
    }
    scene.go_on(GONE).await;
    for node_id in &nodes {
        scene.cluster.start_again(*node_id)?;
    }
    Ok(Outcome::Over(list(&nodes)))
}
