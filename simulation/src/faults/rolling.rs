//! How an operator changes what is written in the configuration of all nodes: one after the other is stopped and started
//! anew, the next when the last is well again.

use cluster::Founding;

use super::operation::votes_and_serves;
use super::stopping::Stopping;
use crate::random::Random;
use crate::world::{NodeSettings, World};

/// A change that goes round.
pub(super) struct Rolling {
    change: fn(&mut NodeSettings),
    left: Vec<u64>,
    step: Step,
}

enum Step {
    Next,
    Stop(u64, Stopping),
    Await(u64),
    Done,
}

impl Rolling {
    /// Through all nodes, in any order.
    pub(super) fn through_all(world: &World, random: &mut Random, change: fn(&mut NodeSettings)) -> Self {
        let mut left: Vec<u64> = world.hosts().map(|host| host.node_id).collect();
        random.shuffle(&mut left);
        Self {
            change,
            left,
            step: Step::Next,
        }
    }

    /// Goes on with it.
    pub(super) fn go_on(&mut self, world: &World) {
        match &self.step {
            Step::Next => self.step = self.left.pop().map_or(Step::Done, |node| self.begin(world, node)),
            Step::Stop(node, stopping) => {
                if stopping.ended(world).is_some() {
                    world.start(*node, Founding::Join);
                    self.step = Step::Await(*node);
                }
            }
            Step::Await(node) if votes_and_serves(world, *node) => self.step = Step::Next,
            Step::Await(_) | Step::Done => {}
        }
    }

    fn begin(&self, world: &World, node: u64) -> Step {
        world.operate_at(Some(node));
        if let Some(host) = world.host(node) {
            let mut settings = host.settings.get();
            (self.change)(&mut settings);
            host.settings.set(settings);
        }
        Step::Stop(node, Stopping::begin(world, node))
    }

    /// Whether all nodes have it, and are well.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.step, Step::Done)
    }
}
