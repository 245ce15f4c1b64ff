//! The leader hands over to another node.

use std::time::Duration;

use cluster::ClusterHandle;

use super::{Begun, Fault, leader};
use crate::random::Random;
use crate::world::World;

/// How long the order may take.
const LIMIT: Duration = Duration::from_secs(20);

struct LeaderMoves;

impl Fault for LeaderMoves {
    fn end(&mut self, _world: &World) {}
}

pub(super) fn begin(world: &World, random: &mut Random) -> Option<Begun> {
    let leader = leader(world)?;
    let others: Vec<u64> = world
        .hosts()
        .map(|host| host.node_id)
        .filter(|other| *other != leader)
        .collect();
    let next = *random.pick(&others)?;
    // It may fail, if the other one is away.
    let hand_over = move |cluster: ClusterHandle| async move {
        let _ = tokio::time::timeout(LIMIT, cluster.transfer_leader(next)).await;
    };
    drop(world.ask(leader, hand_over)?);
    Some(Begun {
        fault: Box::new(LeaderMoves),
        effects: Vec::new(),
        whom: format!("from node {leader} to node {next}"),
    })
}
