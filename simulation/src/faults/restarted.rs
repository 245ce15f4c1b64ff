//! A process is asked to stop, as by an operator, and is started again when it has ended.

use cluster::Founding;

use super::{Begun, Fault, lagging, some_node};
use crate::random::Random;
use crate::world::World;

struct Restarted(u64);

impl Fault for Restarted {
    fn end(&mut self, world: &World) {
        // One that has not stopped by now is killed, as by any operator.
        if world.host(self.0).is_some_and(crate::world::Host::is_running) {
            world.kill(self.0);
        }
        world.start(self.0, Founding::Join);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let effects = lagging(world, &[node]);
    world.stop(node);
    Some(Begun {
        fault: Box::new(Restarted(node)),
        effects,
        whom: format!("node {node}"),
    })
}
