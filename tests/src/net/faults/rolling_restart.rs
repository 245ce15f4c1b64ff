//! All nodes are told to stop and started again, one after the other, as an upgrade does it.

use std::collections::BTreeSet;

use super::{Outcome, list};
use crate::net::failure::Failure;
use crate::net::scene::Scene;

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let nodes = scene.cluster.node_ids();
    for node_id in &nodes {
        scene.may_lag(&BTreeSet::from([*node_id]));
        stop(scene, *node_id).await?;
        scene.cluster.start_again(*node_id)?;
        scene.cluster.until_settled().await?;
    }
    Ok(Outcome::Over(list(&nodes)))
}

/// Tells a node to stop, and wants it to say that all went well.
pub(super) async fn stop(scene: &mut Scene, node_id: u64) -> Result<(), Failure> {
    let status = scene.cluster.member(node_id)?.stop().await?;
    if status.success() {
        return Ok(());
    }
    let words = scene.cluster.member(node_id)?.last_words(20);
    Err(Failure::new(format!(
        "node {node_id} was told to stop and ended with {status}\n{words}"
    )))
}
