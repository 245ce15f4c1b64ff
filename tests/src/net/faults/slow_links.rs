//! Everything between nodes takes as long as between continents. No node may lag because of it: a kill is answered when
//! all have it, which takes a few round trips.

use std::time::Duration;

use super::Outcome;
use crate::net::conduct::Conduct;
use crate::net::failure::Failure;
use crate::net::scene::Scene;

const SLOW: Conduct = Conduct {
    is_cut: false,
    delay: Duration::from_millis(30),
    jitter: Duration::from_millis(20),
    loss_per_mille: 0,
    twice_per_mille: 0,
};
const SLOW_FOR: Duration = Duration::from_secs(7);

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let all = scene.cluster.node_ids();
    scene.cluster.network.set(&all, &all, SLOW);
    // Longer than a view may be old: a node that hears nothing over such links is not well by then.
    scene.go_on(SLOW_FOR).await;
    scene.cluster.until_settled().await?;
    scene.cluster.network.heal();
    Ok(Outcome::Over("60 to 100 ms for a round trip".to_owned()))
}
