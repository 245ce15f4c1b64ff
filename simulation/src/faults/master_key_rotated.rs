//! The master key is replaced: the nodes are started one after the other with the next one, and the former one besides, until
//! everything secret is sealed with the next.

use domain::ports::SigningKeys as _;

use super::operation::some_member;
use super::rolling::Rolling;
use super::{Begun, Fault, all_lag};
use crate::random::Random;
use crate::world::World;

struct MasterKeyRotated {
    rolling: Rolling,
    is_sealed: bool,
}

impl Fault for MasterKeyRotated {
    fn go_on(&mut self, world: &World) {
        self.rolling.go_on(world);
        self.is_sealed = self.rolling.is_done() && is_sealed_anew(world);
    }

    fn may_end(&self) -> bool {
        self.is_sealed
    }

    fn end(&mut self, world: &World) {
        world.operate_at(None);
    }
}

/// Whether every node sees that nothing is left under another master key than its own.
fn is_sealed_anew(world: &World) -> bool {
    let mut clusters = world.hosts().map(|host| world.cluster(host.node_id));
    clusters.all(|cluster| {
        let ring = cluster.and_then(|cluster| cluster.view());
        ring.is_some_and(|ring| ring.sealing.former == 0)
    })
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let node = some_member(world, random)?;
    let effects = all_lag(world);
    world.operate_at(Some(node));
    let fault = MasterKeyRotated {
        rolling: Rolling::through_all(world, random, |settings| settings.master_key += 1),
        is_sealed: false,
    };
    let next = world.host(node)?.settings.get().master_key + 1;
    Some(Begun {
        fault: Box::new(fault),
        effects,
        whom: format!("all nodes, to number {next}"),
    })
}
