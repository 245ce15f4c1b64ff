//! One node's links to the others come and go.

use std::time::Duration;

use super::directions::{Troubled, between};
use super::{Begun, Fault, all_lag, some_node};
use crate::conduct::Conduct;
use crate::random::Random;
use crate::world::World;

/// How long links stay as they are, at most.
const STAY_MAX: Duration = Duration::from_millis(1_500);

struct Flapping {
    cut: Troubled,
    is_cut: bool,
    change_at: Duration,
    random: Random,
}

impl Fault for Flapping {
    fn go_on(&mut self, world: &World) {
        if world.now() >= self.change_at {
            self.is_cut = !self.is_cut;
            self.cut.set(world, self.is_cut.then_some(Conduct::CUT));
            self.change_at = world.now() + self.random.up_to(STAY_MAX);
        }
    }

    fn end(&mut self, world: &World) {
        self.cut.set(world, None);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let others: Vec<u64> = world
        .hosts()
        .map(|host| host.node_id)
        .filter(|other| *other != node)
        .collect();
    let fault = Flapping {
        cut: Troubled::make(world, between(&[node], &others), Conduct::CUT),
        is_cut: true,
        change_at: world.now() + random.up_to(STAY_MAX),
        random: random.branch(1),
    };
    Some(Begun {
        fault: Box::new(fault),
        // It may come to lead between two cuts.
        effects: all_lag(world),
        whom: format!("node {node}"),
    })
}
