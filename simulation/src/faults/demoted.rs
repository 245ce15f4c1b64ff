//! A voter loses its vote, follows for a while, and gets it back.

use std::time::Duration;

use cluster::ClusterHandle;

use super::operation::{self, Work, some_member, votes_and_serves};
use super::order::Order;
use super::{Begun, all_lag, leader};
use crate::random::Random;
use crate::world::World;

/// How long it follows at most.
const FOLLOWS_MAX: Duration = Duration::from_secs(6);

struct Demoted {
    node: u64,
    follows_for: Duration,
    order: Order,
    step: Step,
}

enum Step {
    Demote,
    Follow(Duration),
    Promote,
    Await,
    Done,
}

impl Work for Demoted {
    fn go_on(&mut self, world: &World) {
        let node = self.node;
        match self.step {
            Step::Demote => {
                let demote = move |cluster: ClusterHandle| async move { cluster.demote(node).await };
                if self.order.is_carried_out(world, node, demote) {
                    self.step = Step::Follow(world.now() + self.follows_for);
                }
            }
            Step::Follow(until) if world.now() >= until => self.step = Step::Promote,
            Step::Promote => {
                let promote = move |cluster: ClusterHandle| async move { cluster.promote(node).await };
                if self.order.is_carried_out(world, node, promote) {
                    self.step = Step::Await;
                }
            }
            Step::Await if votes_and_serves(world, node) => self.step = Step::Done,
            // The demotion may have been carried out once more: a copy of it was under way.
            Step::Await if leader(world).is_some_and(|leader| !world.is_voter(node, leader)) => {
                self.step = Step::Promote;
            }
            Step::Follow(_) | Step::Await | Step::Done => {}
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.step, Step::Done)
    }
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_member(world, random)?;
    // Members without a vote are told of changes as the others are; only a leader that gives way is missed.
    let effects = if leader(world) == Some(node) {
        all_lag(world)
    } else {
        Vec::new()
    };
    let work = Demoted {
        node,
        follows_for: random.up_to(FOLLOWS_MAX),
        order: Order::default(),
        step: Step::Demote,
    };
    Some(operation::begin(world, node, work, effects, format!("node {node}")))
}
