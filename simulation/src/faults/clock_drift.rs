//! A node's clocks run wrong for a while: the wall clock as when nothing keeps it right, the monotonic one, and all timers
//! with it, within what a bad oscillator does. At the end the wall clock is set right again.

use super::{Begun, Fault, some_node};
use crate::DRIFT_PER_MILLE_MAX;
use crate::random::Random;
use crate::world::{Drift, World};

/// How much faster or slower than true time the wall clock runs at most, in thousandths. With that no two clocks come to lie
/// further apart than `keys.clock_skew` may be.
const WALL_PER_MILLE_MAX: u64 = 400;

struct ClockDrift(u64);

impl Fault for ClockDrift {
    fn end(&mut self, world: &World) {
        if let Some(host) = world.host(self.0) {
            host.clock.set_drift(Drift::default());
            host.clock.set_ahead(0);
        }
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_node(world, random)?;
    let drift = Drift {
        wall_per_mille: either_way(random, WALL_PER_MILLE_MAX)?,
        monotonic_per_mille: either_way(random, DRIFT_PER_MILLE_MAX)?,
    };
    world.host(node)?.clock.set_drift(drift);
    Some(Begun {
        fault: Box::new(ClockDrift(node)),
        effects: Vec::new(),
        whom: format!(
            "node {node}, the wall clock by {} ‰, the other by {} ‰",
            drift.wall_per_mille, drift.monotonic_per_mille
        ),
    })
}

/// Something from `-most` to `most`.
fn either_way(random: &mut Random, most: u64) -> Option<i64> {
    let drawn = random.below(usize::try_from(2 * most + 1).ok()?);
    Some(i64::try_from(drawn).ok()? - i64::try_from(most).ok()?)
}
