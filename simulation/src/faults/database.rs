//! The database is away, or does what it is asked while its answers are lost.

use super::{Begun, Fault};
use crate::random::Random;
use crate::world::{Mood, World};

struct InAMood;

impl Fault for InAMood {
    fn end(&mut self, world: &World) {
        world.database.set_mood(Mood::Well);
    }
}

fn begin(world: &World, mood: Mood) -> Option<Begun> {
    world.database.set_mood(mood);
    Some(Begun {
        fault: Box::new(InAMood),
        effects: Vec::new(),
        whom: format!("{mood:?}"),
    })
}

pub(super) fn begin_away(world: &World, random: &mut Random) -> Option<Begun> {
    begin(
        world,
        if random.happens(500) {
            Mood::Refusing
        } else {
            Mood::Silent
        },
    )
}

pub(super) fn begin_forgetful(world: &World, random: &mut Random) -> Option<Begun> {
    let per_mille = 100 + u16::try_from(random.below(600)).ok()?;
    begin(world, Mood::Forgetful(per_mille))
}
