//! A minority of the nodes can't reach the rest. Clients reach all.

use super::directions::{Troubled, between};
use super::{Begun, lagging, some_node};
use crate::conduct::Conduct;
use crate::history::Effect;
use crate::random::Random;
use crate::world::World;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let first = some_node(world, random)?;
    let mut others: Vec<u64> = world
        .hosts()
        .map(|host| host.node_id)
        .filter(|node| *node != first)
        .collect();
    random.shuffle(&mut others);
    let most = (others.len() + 1).div_ceil(2) - 1;
    let others_here = random.below(most);
    let there = others.split_off(others_here);
    let mut here = others;
    here.push(first);
    here.sort_unstable();
    let whom = format!("nodes {here:?}");
    let mut effects = lagging(world, &here);
    effects.push((Effect::CutOff, here.iter().copied().collect()));
    let cut = Troubled::make(world, between(&here, &there), Conduct::CUT);
    Some(Begun {
        fault: Box::new(cut),
        effects,
        whom,
    })
}
