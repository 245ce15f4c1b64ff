//! Directions between nodes upon which a trouble lies.

use super::Fault;
use crate::conduct::Conduct;
use crate::world::{Place, World};

/// Directions in trouble.
pub(super) struct Troubled {
    directions: Vec<(u64, u64)>,
    troubles: Vec<u64>,
}

impl Troubled {
    /// Lays a trouble upon them.
    pub(super) fn make(world: &World, directions: Vec<(u64, u64)>, conduct: Conduct) -> Self {
        let mut troubled = Self {
            directions,
            troubles: Vec::new(),
        };
        troubled.set(world, Some(conduct));
        troubled
    }

    /// Puts another trouble in its place, or none.
    pub(super) fn set(&mut self, world: &World, conduct: Option<Conduct>) {
        for trouble in self.troubles.drain(..) {
            world.network.lift(trouble);
        }
        if let Some(conduct) = conduct {
            let lay = |(from, to): &(u64, u64)| world.network.trouble(Place::Node(*from), Place::Node(*to), conduct);
            self.troubles = self.directions.iter().map(lay).collect();
        }
    }
}

impl Fault for Troubled {
    fn end(&mut self, world: &World) {
        self.set(world, None);
    }
}

/// From each node to each other one.
pub(super) fn among_all(world: &World) -> Vec<(u64, u64)> {
    let nodes: Vec<u64> = world.hosts().map(|host| host.node_id).collect();
    let pairs = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to)));
    pairs.filter(|(from, to)| from != to).collect()
}

/// From each of these to each of those, and back.
pub(super) fn between(here: &[u64], there: &[u64]) -> Vec<(u64, u64)> {
    let there_and_back = |from: &u64| {
        there
            .iter()
            .flat_map(|to| [(*from, *to), (*to, *from)])
            .collect::<Vec<_>>()
    };
    here.iter().flat_map(there_and_back).collect()
}
