//! One frame in twenty between nodes is lost, and has to be sent again by TCP, which waits 200 ms before it does.

use std::time::Duration;

use super::Outcome;
use crate::net::conduct::Conduct;
use crate::net::failure::Failure;
use crate::net::scene::Scene;

const LOSSY: Conduct = Conduct {
    is_cut: false,
    delay: Duration::from_millis(2),
    jitter: Duration::from_millis(5),
    loss_per_mille: 50,
    twice_per_mille: 0,
};
const LOSSY_FOR: Duration = Duration::from_secs(6);

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let all = scene.cluster.node_ids();
    scene.may_lag(&all);
    scene.cluster.network.set(&all, &all, LOSSY);
    scene.go_on(LOSSY_FOR).await;
    scene.cluster.network.heal();
    Ok(Outcome::Over("5 % of all frames".to_owned()))
}
