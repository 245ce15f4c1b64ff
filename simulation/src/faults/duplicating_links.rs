//! What nodes send to each other comes twice now and then, the second time up to half a second later: as with a sender that
//! tries once more because it does not know whether it was heard.

use super::Begun;
use super::directions::{Troubled, among_all};
use crate::conduct::Conduct;
use crate::random::Random;
use crate::world::World;

/// How many of a thousand come twice, at most.
const TWICE_MAX: usize = 500;

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let conduct = Conduct {
        twice_per_mille: u16::try_from(1 + random.below(TWICE_MAX)).ok()?,
        ..Conduct::default()
    };
    Some(Begun {
        fault: Box::new(Troubled::make(world, among_all(world), conduct)),
        // Everything comes in time, so nobody may lag.
        effects: Vec::new(),
        whom: format!("{} ‰ come twice", conduct.twice_per_mille),
    })
}
