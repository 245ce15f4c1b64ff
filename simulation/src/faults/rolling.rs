//! How an operator changes what is written in the configuration of all nodes: one after the other is stopped and started
//! anew, the next when the last is well again; and in the end it must have worked.

use cluster::Founding;

use super::operation::{Work, votes_and_serves};
use super::stopping::Stopping;
use crate::random::Random;
use crate::world::{NodeSettings, World};

/// A change that goes round.
pub(super) struct Rolling {
    change: fn(&mut NodeSettings),
    has_worked: fn(&World) -> bool,
    left: Vec<u64>,
    step: Step,
    is_done: bool,
}

enum Step {
    Next,
    Stop(u64, Stopping),
    Await(u64),
    AllHaveIt,
}

impl Rolling {
    /// Through all nodes, in any order.
    pub(super) fn through_all(
        world: &World,
        random: &mut Random,
        change: fn(&mut NodeSettings),
        has_worked: fn(&World) -> bool,
    ) -> Self {
        let mut left: Vec<u64> = world.hosts().map(|host| host.node_id).collect();
        random.shuffle(&mut left);
        Self {
            change,
            has_worked,
            left,
            step: Step::Next,
            is_done: false,
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
}

impl Work for Rolling {
    fn go_on(&mut self, world: &World) {
        match &self.step {
            Step::Next => self.step = self.left.pop().map_or(Step::AllHaveIt, |node| self.begin(world, node)),
            Step::Stop(node, stopping) => {
                if stopping.ended(world).is_some() {
                    world.start(*node, Founding::Join);
                    self.step = Step::Await(*node);
                }
            }
            Step::Await(node) if votes_and_serves(world, *node) => self.step = Step::Next,
            Step::Await(_) | Step::AllHaveIt => {}
        }
        self.is_done = matches!(self.step, Step::AllHaveIt) && (self.has_worked)(world);
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}
