//! A process that does nothing for ten seconds, as a machine does that is paused or swaps, and then goes on as if nothing
//! had been. What it knew is old by then.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Outcome, list};
use crate::net::failure::Failure;
use crate::net::scene::Scene;

const PAUSED_FOR: Duration = Duration::from_secs(10);

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let node = scene.some_node();
    scene.may_lag(&BTreeSet::from([node]));
    scene.cluster.member(node)?.pause();
    scene.go_on(PAUSED_FOR).await;
    scene.cluster.member(node)?.resume();
    // It must be seen while it still believes what it knew ten seconds ago.
    scene.go_on(Duration::from_secs(1)).await;
    Ok(Outcome::Over(list(&[node])))
}
