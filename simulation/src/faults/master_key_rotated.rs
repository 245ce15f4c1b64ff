//! The master key is replaced: the nodes are started one after the other with the next one, and the former one besides, until
//! everything secret is sealed with the next.

use domain::ports::SigningKeys as _;

use super::operation::{self, some_member};
use super::rolling::Rolling;
use super::{Begun, all_lag};
use crate::random::Random;
use crate::world::World;

/// Whether every node sees that nothing is left under another master key than its own.
fn is_sealed_anew(world: &World) -> bool {
    let mut clusters = world.hosts().map(|host| world.cluster(host.node_id));
    clusters.all(|cluster| {
        let ring = cluster.and_then(|cluster| cluster.view());
        ring.is_some_and(|ring| ring.sealing.former == 0)
    })
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_member(world, random)?;
    let effects = all_lag(world);
    let change = Rolling::through_all(world, random, |settings| settings.master_key += 1, is_sealed_anew);
    let next = world.host(node)?.settings.get().master_key + 1;
    let whom = format!("all nodes, to number {next}");
    Some(operation::begin(world, node, change, effects, whom))
}
