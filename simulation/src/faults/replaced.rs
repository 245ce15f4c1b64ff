//! A node is drained and removed, and an empty one joins in its place.

use super::operation::{self, some_member};
use super::replacing::Replacing;
use super::{Begun, lagging};
use crate::random::Random;
use crate::world::World;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_member(world, random)?;
    let effects = lagging(world, &[node]);
    Some(operation::begin(
        world,
        node,
        Replacing::member(node),
        effects,
        format!("node {node}"),
    ))
}
