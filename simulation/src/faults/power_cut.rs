//! A machine loses power: nobody hears anything of it any more, and its disk has what was synchronized, and perhaps some
//! of the rest.

use super::{Begun, some_node, started_again};
use crate::random::Random;
use crate::world::World;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    Some(started_again::after(world, node, World::cut_power))
}
