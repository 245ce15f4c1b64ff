//! What operators do, and have to finish. There is one operator, who begins when all is well and does one thing at a time.

use super::{Begun, Effects, Fault, leader, some_node};
use crate::random::Random;
use crate::world::{Host, World};

/// What an operator does, step by step.
pub(super) trait Work {
    /// Goes on with it.
    fn go_on(&mut self, world: &World);

    /// Whether it is finished.
    fn is_done(&self) -> bool;
}

struct Operation<W>(W);

impl<W: Work> Fault for Operation<W> {
    fn go_on(&mut self, world: &World) {
        self.0.go_on(world);
    }

    fn may_end(&self) -> bool {
        self.0.is_done()
    }

    fn end(&mut self, world: &World) {
        world.operate_at(None);
    }
}

/// The operator begins with a node.
pub(super) fn begin(world: &World, node: u64, work: impl Work + 'static, effects: Effects, whom: String) -> Begun {
    world.operate_at(Some(node));
    Begun {
        fault: Box::new(Operation(work)),
        effects,
        whom,
    }
}

/// A member to begin with; none if the operator is busy, or a member is away already: nobody takes another from those.
pub(super) fn some_member(world: &World, random: &mut Random) -> Option<u64> {
    let is_well = |host: &Host| {
        let status = world.cluster(host.node_id).map(|cluster| cluster.status());
        world.is_serving(host.node_id) && status.is_some_and(|status| status.fresh)
    };
    let can_begin = world.operated().is_none() && world.hosts().count() > 2 && world.hosts().all(is_well);
    if can_begin { some_node(world, random) } else { None }
}

/// Whether a node votes, as the leader sees it, and serves.
pub(super) fn votes_and_serves(world: &World, node: u64) -> bool {
    let votes = leader(world).is_some_and(|leader| world.is_voter(node, leader));
    let is_fresh = world.cluster(node).is_some_and(|cluster| cluster.status().fresh);
    votes && is_fresh && world.is_serving(node)
}
