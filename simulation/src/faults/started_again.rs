//! How faults that end a process are over: whoever watches over it starts it again.

use cluster::Founding;

use super::{Begun, Fault, lagging};
use crate::world::{Host, World};

struct StartedAgain(u64);

impl Fault for StartedAgain {
    fn end(&mut self, world: &World) {
        if world.operated() == Some(self.0) {
            return;
        }
        // One that was asked to stop, and has not by now, is killed, as by any operator.
        if world.host(self.0).is_some_and(Host::is_running) {
            world.kill(self.0);
        }
        world.start(self.0, Founding::Join);
    }
}

/// Ends a node's process in this way.
pub(super) fn after(world: &World, node: u64, end: impl FnOnce(&World, u64)) -> Begun {
    let effects = lagging(world, &[node]);
    end(world, node);
    Begun {
        fault: Box::new(StartedAgain(node)),
        effects,
        whom: format!("node {node}"),
    }
}
