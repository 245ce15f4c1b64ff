//! All nodes are replaced: a new one is invited and catches up, then an old one is stopped and removed, until none of the
//! old ones is left.

use std::collections::BTreeSet;

use super::rolling_restart::stop;
use super::{Outcome, list};
use crate::net::cluster::Role;
use crate::net::failure::Failure;
use crate::net::scene::Scene;

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let old = scene.cluster.node_ids();
    for node_id in &old {
        let plan = &scene.cluster.member(*node_id)?.plan;
        let role = Role {
            region: plan.region.clone(),
            is_voter: plan.is_voter,
        };
        let _ = scene.cluster.add(&role).await?;
        scene.cluster.until_settled().await?;
        scene.announce_nodes();
        scene.may_lag(&BTreeSet::from([*node_id]));
        stop(scene, *node_id).await?;
        let name = node_id.to_string();
        let _ = scene.cluster.operate(&["remove", &name]).await?;
        let _ = scene.cluster.members.remove(node_id);
        scene.announce_nodes();
        scene.cluster.until_settled().await?;
    }
    Ok(Outcome::Over(format!(
        "{} by {}",
        list(&old),
        list(&scene.cluster.node_ids())
    )))
}
