//! A node whose wall clock is set ten minutes ahead and ten minutes back while it works, as a bad time server does.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Outcome, list};
use crate::net::failure::Failure;
use crate::net::faketime::Faketime;
use crate::net::scene::Scene;

const AHEAD_SECONDS: i64 = 600;
const WRONG_FOR: Duration = Duration::from_secs(4);

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let node = scene.some_node();
    let file = scene.cluster.blueprint.folder.join(format!("clock-{node}"));
    let Some(clock) = Faketime::at(file) else {
        return Ok(Outcome::Skipped("libfaketime is not installed".to_owned()));
    };
    restart(scene, node, Some(&clock)).await?;
    for seconds in [AHEAD_SECONDS, -AHEAD_SECONDS, 0] {
        clock.set(seconds);
        scene.go_on(WRONG_FOR).await;
    }
    restart(scene, node, None).await?;
    Ok(Outcome::Over(list(&[node])))
}

/// The clock is part of how a process is started.
async fn restart(scene: &mut Scene, node: u64, clock: Option<&Faketime>) -> Result<(), Failure> {
    scene.may_lag(&BTreeSet::from([node]));
    scene.cluster.member(node)?.kill();
    let cluster = &mut scene.cluster;
    let member = cluster.members.get_mut(&node);
    member
        .ok_or_else(|| Failure::new("the node is gone"))?
        .start(&cluster.network, clock)?;
    cluster.until_settled().await?;
    scene.recorder().effect_ends(crate::net::history::Effect::MayLag);
    Ok(())
}
