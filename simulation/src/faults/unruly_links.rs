//! All links between nodes lose some of what is sent and deliver the rest late and in any order.

use std::time::Duration;

use super::directions::Troubled;
use super::{Begun, all_lag};
use crate::conduct::Conduct;
use crate::random::Random;
use crate::world::World;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let conduct = Conduct {
        jitter: random.up_to(Duration::from_millis(200)),
        loss_per_mille: u16::try_from(random.below(150)).unwrap_or_default(),
        ..Conduct::default()
    };
    let nodes: Vec<u64> = world.hosts().map(|host| host.node_id).collect();
    let pairs = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to)));
    let directions: Vec<(u64, u64)> = pairs.filter(|(from, to)| from != to).collect();
    Some(Begun {
        fault: Box::new(Troubled::make(world, directions, conduct)),
        effects: all_lag(world),
        whom: format!("up to {:?} late, {} ‰ lost", conduct.jitter, conduct.loss_per_mille),
    })
}
