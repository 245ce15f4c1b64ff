//! A process is asked to stop, as by an operator, and is started again when it has ended.

use super::{Begun, some_node, started_again};
use crate::random::Random;
use crate::world::World;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    Some(started_again::after(world, node, World::stop))
}
