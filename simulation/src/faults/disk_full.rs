//! A disk is full. The node that it belongs to can't go on, ends, and is started again and again until there is room.

use super::{Begun, Fault, lagging, some_node};
use crate::random::Random;
use crate::world::World;

struct DiskFull(u64);

impl Fault for DiskFull {
    fn end(&mut self, world: &World) {
        if let Some(host) = world.host(self.0) {
            host.disk.set_full(false);
        }
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let effects = lagging(world, &[node]);
    world.host(node)?.disk.set_full(true);
    Some(Begun {
        fault: Box::new(DiskFull(node)),
        effects,
        whom: format!("node {node}"),
    })
}
