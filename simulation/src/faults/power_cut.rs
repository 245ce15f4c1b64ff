//! A machine loses power: nobody hears anything of it any more, and its disk has what was synchronized, and perhaps some
//! of the rest.

use cluster::Founding;

use super::{Begun, Fault, lagging, some_node};
use crate::random::Random;
use crate::world::World;

struct PowerCut(u64);

impl Fault for PowerCut {
    fn end(&mut self, world: &World) {
        world.start(self.0, Founding::Join);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let effects = lagging(world, &[node]);
    world.cut_power(node);
    Some(Begun {
        fault: Box::new(PowerCut(node)),
        effects,
        whom: format!("node {node}"),
    })
}
