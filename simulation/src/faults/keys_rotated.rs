//! An operator has signing keys replaced: as a rule ahead of time, which nobody notices, sometimes in an emergency, which kills
//! all that they have signed.

use super::key_order::GivenOrder;
use super::{Begun, Fault, some_node};
use crate::history::Rotation;
use crate::random::Random;
use crate::world::World;

/// How many of a thousand orders are emergencies.
const EMERGENCIES_PER_MILLE: u16 = 250;

struct KeysRotated(GivenOrder);

impl Fault for KeysRotated {
    fn go_on(&mut self, world: &World) {
        self.0.go_on(world);
    }

    fn may_end(&self) -> bool {
        self.0.is_answered()
    }

    fn end(&mut self, _world: &World) {}
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let rotation = if random.happens(EMERGENCIES_PER_MILLE) {
        Rotation::Emergency
    } else {
        Rotation::Ahead
    };
    let order = GivenOrder::give(world, random, node, rotation)?;
    Some(Begun {
        fault: Box::new(KeysRotated(order)),
        effects: Vec::new(),
        whom: format!("at node {node}: {rotation:?}"),
    })
}
