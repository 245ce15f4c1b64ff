//! All links between nodes lose some of what is sent and deliver the rest late and in any order.

use std::time::Duration;

use super::directions::{Troubled, among_all};
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
    Some(Begun {
        fault: Box::new(Troubled::make(world, among_all(world), conduct)),
        effects: all_lag(world),
        whom: format!("up to {:?} late, {} ‰ lost", conduct.jitter, conduct.loss_per_mille),
    })
}
