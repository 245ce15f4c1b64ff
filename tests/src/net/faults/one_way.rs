//! A network that carries one way only: what one node sends does not arrive, or nothing arrives at it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Outcome, list};
use crate::net::conduct::Conduct;
use crate::net::failure::Failure;
use crate::net::history::Effect;
use crate::net::scene::Scene;

/// How long it lasts: longer than a node may go on without a majority.
const CUT: Duration = Duration::from_secs(8);

/// Which direction is lost, as the node sees it.
pub(super) enum Lost {
    /// What it sends.
    Out,
    /// What is sent to it.
    In,
}

pub(super) async fn inject(scene: &mut Scene, lost: Lost) -> Result<Outcome, Failure> {
    let node = BTreeSet::from([scene.some_node()]);
    let others = scene.others(&node);
    scene.may_lag(&node);
    let network = &scene.cluster.network;
    match lost {
        Lost::Out => network.set(&node, &others, Conduct::CUT),
        Lost::In => network.set(&others, &node, Conduct::CUT),
    }
    scene.recorder().effect_begins(Effect::CutOff, &node);
    scene.go_on(CUT).await;
    scene.recorder().effect_ends(Effect::CutOff);
    scene.cluster.network.heal();
    Ok(Outcome::Over(list(&node)))
}
