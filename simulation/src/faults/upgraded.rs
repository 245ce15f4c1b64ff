//! A rolling upgrade: in a world whose nodes are held at a former format of the replicated state, they are started one after
//! the other without that, until the cluster has raised the format.

use cluster::Formats;

use super::operation::{self, some_member};
use super::rolling::Rolling;
use super::{Begun, all_lag};
use crate::random::Random;
use crate::world::World;

/// Whether the latest format is in force at every node.
fn is_raised(world: &World) -> bool {
    let latest = Formats::default().known();
    let mut clusters = world.hosts().map(|host| world.cluster(host.node_id));
    clusters.all(|cluster| cluster.is_some_and(|cluster| cluster.status().format == latest))
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let mut held = world.hosts().filter_map(|host| host.settings.get().format_max);
    let held_at = held.next()?;
    let node = some_member(world, random)?;
    let effects = all_lag(world);
    let change = Rolling::through_all(world, random, |settings| settings.format_max = None, is_raised);
    let whom = format!("all nodes, from format {held_at}");
    Some(operation::begin(world, node, change, effects, whom))
}
