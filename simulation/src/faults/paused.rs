//! A process does nothing for a while, and does not notice: a machine that swaps, is moved, or is debugged.

use super::{Begun, Fault, lagging, some_node};
use crate::random::Random;
use crate::world::World;

struct Paused(u64);

impl Fault for Paused {
    fn end(&mut self, world: &World) {
        world.resume(self.0);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let effects = lagging(world, &[node]);
    world.pause(node);
    Some(Begun {
        fault: Box::new(Paused(node)),
        effects,
        whom: format!("node {node}"),
    })
}
