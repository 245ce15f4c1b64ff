//! A network that falls in two: a minority, with the leader in it, is on its own. Clients and PostgreSQL are reached from
//! both sides, so a node that would go on regardless would do harm.

use std::time::Duration;

use super::killed::minority_with_leader;
use super::{Outcome, list};
use crate::net::conduct::Conduct;
use crate::net::failure::Failure;
use crate::net::history::Effect;
use crate::net::scene::Scene;

/// How long it lasts: longer than a node may go on without a majority.
const CUT: Duration = Duration::from_secs(8);

pub(super) async fn inject(scene: &mut Scene) -> Result<Outcome, Failure> {
    let minority = minority_with_leader(scene).await?;
    let majority = scene.others(&minority);
    scene.may_lag(&minority);
    scene.cluster.network.set_between(&minority, &majority, Conduct::CUT);
    scene.recorder().effect_begins(Effect::CutOff, &minority);
    scene.go_on(CUT).await;
    scene.recorder().effect_ends(Effect::CutOff);
    scene.cluster.network.heal();
    Ok(Outcome::Over(list(&minority)))
}
