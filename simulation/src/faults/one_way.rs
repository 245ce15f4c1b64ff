//! One node is not heard by the others, or does not hear them.

use std::collections::BTreeSet;

use super::directions::Troubled;
use super::{Begun, lagging, some_node};
use crate::conduct::Conduct;
use crate::history::Effect;
use crate::random::Random;
use crate::world::World;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let is_deaf = random.happens(500);
    let others = world.hosts().map(|host| host.node_id).filter(|other| *other != node);
    let direction = |other| if is_deaf { (other, node) } else { (node, other) };
    let cut = Troubled::make(world, others.map(direction).collect(), Conduct::CUT);
    let mut effects = lagging(world, &[node]);
    effects.push((Effect::CutOff, BTreeSet::from([node])));
    Some(Begun {
        fault: Box::new(cut),
        effects,
        whom: format!("node {node} {}", if is_deaf { "hears nobody" } else { "is not heard" }),
    })
}
