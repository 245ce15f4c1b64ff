//! How an operator replaces a node: it is removed, which drains it if it still runs, and stopped; its data directory is
//! emptied; and it joins again by invitation, follows, and votes when it has caught up.

use std::time::Duration;

use cluster::{ClusterError, ClusterHandle, Founding, Joining};

use super::leader;
use super::operation::{Work, votes_and_serves};
use super::order::Order;
use super::stopping::Stopping;
use crate::world::World;

/// How long an invitation holds.
const INVITATION: Duration = Duration::from_secs(3_600);

/// A node that is being replaced.
pub(super) struct Replacing {
    node: u64,
    order: Order,
    step: Step,
}

enum Step {
    Remove,
    Stop(Stopping),
    Join,
    Follow,
    Done,
}

impl Replacing {
    /// One that is a member, whether it runs or not.
    pub(super) fn member(node: u64) -> Self {
        Self {
            node,
            order: Order::default(),
            step: Step::Remove,
        }
    }
}

impl Work for Replacing {
    fn go_on(&mut self, world: &World) {
        let node = self.node;
        match &self.step {
            Step::Remove => {
                let remove = move |cluster: ClusterHandle| async move { cluster.remove(node).await };
                if self.order.is_carried_out(world, node, remove) {
                    self.step = Step::Stop(Stopping::begin(world, node));
                }
            }
            Step::Stop(stopping) => {
                if stopping.ended(world).is_some() {
                    world.wipe(node);
                    world.start(node, Founding::Join);
                    self.step = Step::Join;
                }
            }
            Step::Join => {
                let joining = world.joining(node);
                let join = move |cluster| join(cluster, joining);
                if world.cluster(node).is_some() && self.order.is_carried_out(world, node, join) {
                    self.step = Step::Follow;
                }
            }
            Step::Follow if votes_and_serves(world, node) => self.step = Step::Done,
            // An earlier removal may have been carried out once more: a copy of it was under way.
            Step::Follow if leader(world).is_some_and(|leader| !world.is_member(node, leader)) => {
                self.step = Step::Join;
            }
            Step::Follow | Step::Done => {}
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.step, Step::Done)
    }
}

async fn join(cluster: ClusterHandle, joining: Joining) -> Result<(), ClusterError> {
    let invitation = cluster.invite(INVITATION).await?;
    cluster.join(&invitation, joining).await
}
