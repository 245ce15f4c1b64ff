//! The leader dies, and the first node that is seen to stand for election in another term, or to have a voter's part in it,
//! loses its power at once and soon has it again: what it has promised there must have been written down for good before
//! anybody heard of it.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::{ClusterStatus, Founding, Role};

use super::{Begun, Fault, all_lag, leader};
use crate::random::Random;
use crate::world::World;

/// How long the node is without power at most.
const DARK_MAX: Duration = Duration::from_millis(400);

struct PowerCutAfterVote {
    leader: u64,
    /// In which terms the others were.
    terms: BTreeMap<u64, u64>,
    /// Whether it is to be one that stands for election.
    stands: bool,
    dark_for: Duration,
    step: Step,
}

enum Step {
    Watch,
    /// Who lost its power, and when it has it again.
    Dark(u64, Duration),
    Over,
}

impl Fault for PowerCutAfterVote {
    fn go_on(&mut self, world: &World) {
        match self.step {
            Step::Watch => {
                let is_in_another_term = |(node, term): &(&u64, &u64)| {
                    let now = world.cluster(**node).map(|cluster| cluster.status());
                    let is_it = |now: ClusterStatus| now.term > **term && (now.role == Role::Candidate) == self.stands;
                    now.is_some_and(is_it) && world.operated() != Some(**node)
                };
                if let Some((node, _)) = self.terms.iter().find(is_in_another_term) {
                    world.cut_power(*node);
                    self.step = Step::Dark(*node, world.now() + self.dark_for);
                }
            }
            Step::Dark(node, until) if world.now() >= until => {
                start(world, node);
                self.step = Step::Over;
            }
            Step::Dark(..) | Step::Over => {}
        }
    }

    fn end(&mut self, world: &World) {
        start(world, self.leader);
        if let Step::Dark(node, _) = self.step {
            start(world, node);
        }
    }
}

fn start(world: &World, node: u64) {
    if world.operated() != Some(node) {
        world.start(node, Founding::Join);
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let leader = leader(world).filter(|leader| world.operated() != Some(*leader))?;
    let others = world.hosts().filter(|host| host.node_id != leader);
    let terms = others.filter_map(|host| Some((host.node_id, world.cluster(host.node_id)?.status().term)));
    let fault = PowerCutAfterVote {
        leader,
        terms: terms.collect(),
        stands: random.happens(500),
        dark_for: random.up_to(DARK_MAX),
        step: Step::Watch,
    };
    let effects = all_lag(world);
    world.kill(leader);
    Some(Begun {
        fault: Box::new(fault),
        effects,
        whom: format!("after node {leader} has died"),
    })
}
