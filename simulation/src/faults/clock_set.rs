//! A node's wall clock is set, up to ten minutes back or ahead.

use super::{Begun, Fault, some_node};
use crate::random::Random;
use crate::world::World;

/// The most by which it is set, in milliseconds.
const MOST_MS: usize = 600_000;

struct ClockSet(u64);

impl Fault for ClockSet {
    fn end(&mut self, world: &World) {
        if let Some(host) = world.host(self.0) {
            host.clock.set_ahead(0);
        }
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let by = i64::try_from(random.below(2 * MOST_MS)).ok()? - i64::try_from(MOST_MS).ok()?;
    world.host(node)?.clock.set_ahead(by);
    Some(Begun {
        fault: Box::new(ClockSet(node)),
        effects: Vec::new(),
        whom: format!("node {node} by {by} ms"),
    })
}
