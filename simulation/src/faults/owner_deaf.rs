//! Just after an operator has ordered other keys, whoever owns the key schedule hears nothing of the leader any more. The
//! others give the schedule to another node; the former owner, who does not know that, goes on and is heard. No client reaches
//! it meanwhile: their changes, which are not answered either, would be ahead of its own.

use std::time::Duration;

use domain::KeyState;
use domain::ports::SigningKeys as _;

use super::directions::Troubled;
use super::key_order::GivenOrder;
use super::{Begun, Fault, lagging, leader};
use crate::conduct::Conduct;
use crate::history::Rotation;
use crate::random::Random;
use crate::world::{Place, World};

/// How long the owner may take to see the keys and to have them recorded.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long it hears nothing: until it is given up, and both it and the next owner have found something to do.
const DEAF_FOR: Duration = Duration::from_secs(9);

struct OwnerDeaf {
    leader: u64,
    owner: u64,
    order: GivenOrder,
    links: Option<Troubled>,
    from_clients: Option<u64>,
    ends_at: Duration,
    is_over: bool,
}

impl Fault for OwnerDeaf {
    fn go_on(&mut self, world: &World) {
        self.order.go_on(world);
        if self.links.is_none() && self.order.is_done() && awaits_its_turn(world, self.owner) {
            let direction = vec![(self.leader, self.owner)];
            self.links = Some(Troubled::make(world, direction, Conduct::CUT));
            let (clients, owner) = (Place::Clients, Place::Node(self.owner));
            self.from_clients = Some(world.network.trouble(clients, owner, Conduct::CUT));
            world.note(format_args!(
                "node {} hears nothing of node {}",
                self.owner, self.leader
            ));
            self.ends_at = world.now() + DEAF_FOR;
        }
        self.is_over = self.order.is_answered() && world.now() >= self.ends_at;
    }

    fn may_end(&self) -> bool {
        self.is_over
    }

    fn end(&mut self, world: &World) {
        if let Some(links) = &mut self.links {
            links.end(world);
        }
        if let Some(from_clients) = self.from_clients.take() {
            world.network.lift(from_clients);
        }
    }
}

/// Whether a node sees a key that will sign, and nothing else to do.
fn awaits_its_turn(world: &World, node: u64) -> bool {
    let ring = world.cluster(node).and_then(|cluster| cluster.view());
    ring.is_some_and(|ring| {
        let mut keys = ring.keys.iter();
        ring.ownership.is_here && ring.unrecorded.is_empty() && keys.any(|key| key.state == KeyState::Published)
    })
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let leader = leader(world)?;
    let owner = world.cluster(leader)?.view()?.ownership.owner?.0;
    let keys_follow_soon = world.host(owner)?.settings.get().keys_follow_soon;
    if owner == leader || !keys_follow_soon || !world.is_serving(owner) || world.operated().is_some() {
        return None;
    }
    let fault = OwnerDeaf {
        leader,
        owner,
        order: GivenOrder::give(world, random, leader, Rotation::Ahead)?,
        links: None,
        from_clients: None,
        ends_at: world.now() + PATIENCE,
        is_over: false,
    };
    Some(Begun {
        fault: Box::new(fault),
        effects: lagging(world, &[owner]),
        whom: format!("node {owner}"),
    })
}
