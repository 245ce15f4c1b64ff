//! An operator has keys replaced in an emergency, and at another node once more as soon as that is done, while all that nodes
//! send to each other may come twice. The second time is the last word: what comes late of the first must not undo it.

use super::directions::{Troubled, among_all};
use super::key_order::GivenOrder;
use super::{Begun, Fault, leader};
use crate::conduct::Conduct;
use crate::history::Rotation;
use crate::random::Random;
use crate::world::{Host, World};

/// How many of a thousand messages come twice.
const TWICE_PER_MILLE: u16 = 500;

struct KeysReplacedTwice {
    links: Troubled,
    random: Random,
    /// Where the second order is given.
    then: u64,
    first: GivenOrder,
    second: Option<GivenOrder>,
    is_over: bool,
}

impl Fault for KeysReplacedTwice {
    fn go_on(&mut self, world: &World) {
        self.first.go_on(world);
        match &mut self.second {
            Some(second) => {
                second.go_on(world);
                self.is_over = second.is_answered();
            }
            None if self.is_over || !self.first.is_answered() => {}
            None => {
                self.second = GivenOrder::give(world, &mut self.random, self.then, Rotation::Emergency);
                // The node may have gone meanwhile.
                self.is_over = self.second.is_none();
            }
        }
    }

    fn may_end(&self) -> bool {
        self.is_over
    }

    fn end(&mut self, world: &World) {
        self.links.end(world);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let leader = leader(world)?;
    let serving = |node: &u64| *node != leader && world.is_serving(*node);
    let mut nodes: Vec<u64> = world.hosts().map(|host: &Host| host.node_id).filter(serving).collect();
    random.shuffle(&mut nodes);
    let [node, then, ..] = nodes[..] else { return None };
    let conduct = Conduct {
        twice_per_mille: TWICE_PER_MILLE,
        ..Conduct::default()
    };
    let first = GivenOrder::give(world, random, node, Rotation::Emergency)?;
    let fault = KeysReplacedTwice {
        links: Troubled::make(world, among_all(world), conduct),
        random: random.branch(2),
        then,
        first,
        second: None,
        is_over: false,
    };
    Some(Begun {
        fault: Box::new(fault),
        // Everything comes in time, so nobody may lag.
        effects: Vec::new(),
        whom: format!("at node {node}, then at node {then}"),
    })
}
