//! A node is drained and removed, and an empty one joins in its place.

use super::operation::some_member;
use super::replacing::Replacing;
use super::{Begun, Fault, lagging};
use crate::random::Random;
use crate::world::World;

struct Replaced(Replacing);

impl Fault for Replaced {
    fn go_on(&mut self, world: &World) {
        self.0.go_on(world);
    }

    fn may_end(&self) -> bool {
        self.0.is_done()
    }

    fn end(&mut self, world: &World) {
        world.operate_at(None);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_member(world, random)?;
    let effects = lagging(world, &[node]);
    world.operate_at(Some(node));
    Some(Begun {
        fault: Box::new(Replaced(Replacing::member(node))),
        effects,
        whom: format!("node {node}"),
    })
}
