//! A rolling upgrade: in a world whose nodes are held at a former format of the replicated state, they are started one after
//! the other without that, until the cluster has raised the format.

use cluster::Formats;

use super::operation::some_member;
use super::rolling::Rolling;
use super::{Begun, Fault, all_lag};
use crate::random::Random;
use crate::world::World;

struct Upgraded {
    rolling: Rolling,
    is_raised: bool,
}

impl Fault for Upgraded {
    fn go_on(&mut self, world: &World) {
        self.rolling.go_on(world);
        self.is_raised = self.rolling.is_done() && is_raised(world);
    }

    fn may_end(&self) -> bool {
        self.is_raised
    }

    fn end(&mut self, world: &World) {
        world.operate_at(None);
    }
}

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
    world.operate_at(Some(node));
    let fault = Upgraded {
        rolling: Rolling::through_all(world, random, |settings| settings.format_max = None),
        is_raised: false,
    };
    Some(Begun {
        fault: Box::new(fault),
        effects,
        whom: format!("all nodes, from format {held_at}"),
    })
}
