//! A process ends without warning. Whoever watches over it starts it again at the end.

use cluster::Founding;

use super::{Begun, Fault, lagging, some_node};
use crate::random::Random;
use crate::world::World;

struct Killed(u64);

impl Fault for Killed {
    fn end(&mut self, world: &World) {
        world.start(self.0, Founding::Join);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let effects = lagging(world, &[node]);
    world.kill(node);
    Some(Begun {
        fault: Box::new(Killed(node)),
        effects,
        whom: format!("node {node}"),
    })
}
