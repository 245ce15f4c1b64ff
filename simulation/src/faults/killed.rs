//! A process ends without warning. Whoever watches over it starts it again at the end.

use super::{Begun, some_node, started_again};
use crate::random::Random;
use crate::world::World;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    Some(started_again::after(world, node, World::kill))
}
