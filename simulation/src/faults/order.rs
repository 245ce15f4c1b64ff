//! An order of the operator to the cluster, given to one node or the next until one has carried it out.

use std::time::Duration;

use cluster::{ClusterError, ClusterHandle};

use super::leader;
use crate::world::{Errand, Host, Progress, World};

/// How long the operator waits before trying again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// An order.
#[derive(Default)]
pub(super) struct Order {
    under_way: Option<Errand<Result<(), ClusterError>>>,
    again_at: Duration,
}

impl Order {
    /// Goes on with it. True, once, when it is carried out; then the same can give another. It is given to no node but
    /// others than `about`, which is the one that it is about.
    pub(super) fn is_carried_out<W>(&mut self, world: &World, about: u64, work: impl FnOnce(ClusterHandle) -> W) -> bool
    where
        W: Future<Output = Result<(), ClusterError>> + Send + 'static,
    {
        match self.under_way.as_mut().map(Errand::progress) {
            Some(Progress::UnderWay) => return false,
            Some(Progress::Done(Ok(()))) => {
                *self = Self::default();
                return true;
            }
            Some(Progress::Done(Err(error))) => world.note(format_args!("an order was not carried out: {error}")),
            Some(Progress::Lost) => world.note(format_args!("nobody says whether an order was carried out")),
            None => {}
        }
        self.under_way = None;
        if world.now() >= self.again_at {
            self.again_at = world.now() + AGAIN_AFTER;
            self.under_way = somebody_but(world, about).and_then(|node| world.ask(node, work));
        }
        false
    }
}

/// Whom an operator turns to: the leader, or who else serves.
fn somebody_but(world: &World, about: u64) -> Option<u64> {
    let is_able = |node: &u64| *node != about && world.is_serving(*node);
    let serving = || world.hosts().map(|host: &Host| host.node_id).find(is_able);
    leader(world).filter(is_able).or_else(serving)
}
