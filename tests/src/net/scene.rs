//! What a fault acts upon: a cluster at work, and the history that is being written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::cluster::Cluster;
use super::failure::Failure;
use super::history::{Effect, Recorder};
use super::random::Random;
use super::workload::Shared;

/// A cluster under load.
pub struct Scene {
    /// The nodes.
    pub cluster: Cluster,
    /// What clients share.
    pub shared: Arc<Shared>,
    /// Draws whom a fault hits.
    pub random: Random,
}

impl Scene {
    /// The history.
    pub fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    /// Some node that does not lead.
    pub async fn some_follower(&mut self) -> Result<u64, Failure> {
        let leader = self.cluster.leader().await?;
        let others: Vec<u64> = self
            .cluster
            .node_ids()
            .into_iter()
            .filter(|node| *node != leader)
            .collect();
        let chosen = self.random.pick(&others).copied();
        chosen.ok_or_else(|| Failure::new("a cluster of one has no followers"))
    }

    /// Some node.
    pub fn some_node(&mut self) -> u64 {
        let all: Vec<u64> = self.cluster.node_ids().into_iter().collect();
        *self.random.pick(&all).expect("a cluster has nodes")
    }

    /// The nodes that are not among these.
    pub fn others(&self, some: &BTreeSet<u64>) -> BTreeSet<u64> {
        self.cluster.node_ids().difference(some).copied().collect()
    }

    /// These nodes may not hear of changes in time from now on, until all is well again.
    pub fn may_lag(&self, nodes: &BTreeSet<u64>) {
        self.recorder().effect_begins(Effect::MayLag, nodes);
    }

    /// Clients go on for so long.
    pub async fn go_on(&self, time: Duration) {
        sleep(time).await;
    }

    /// Tells clients which nodes there are.
    pub fn announce_nodes(&self) {
        self.shared.set_targets(self.cluster.targets());
    }

    /// Waits until all nodes are well, and says so in the history.
    pub async fn settle(&self) -> Result<(), Failure> {
        self.cluster.until_settled().await?;
        self.recorder().fault_is_over();
        Ok(())
    }
}
