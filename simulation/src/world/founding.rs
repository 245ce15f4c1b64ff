//! How a cluster comes to be: the first node alone, to which the others are added.

use std::time::Duration;

use cluster::{ClusterHandle, Formats, Founding, Joining, MemberEntry};

use super::process::{Process, address};
use super::{World, WorldError};
use crate::workload::Client;

impl World {
    /// What a node says of itself when it wants to join.
    pub fn joining(&self, node_id: u64) -> Joining {
        Joining {
            node_id,
            address: address(node_id),
            region: String::new(),
            wants_vote: true,
            known_format: Some(Formats::default().known()),
        }
    }

    /// Whether a node is a member, as another sees it.
    pub fn is_member(&self, node: u64, as_seen_by: u64) -> bool {
        self.member(node, as_seen_by).is_some()
    }

    /// Whether it votes.
    pub fn is_voter(&self, node: u64, as_seen_by: u64) -> bool {
        self.member(node, as_seen_by).is_some_and(|member| member.is_voter)
    }

    fn member(&self, node: u64, as_seen_by: u64) -> Option<MemberEntry> {
        let mut members = self.cluster(as_seen_by)?.members().into_iter();
        members.find(|member| member.node_id == node)
    }

    /// Founds the cluster: the first node alone, to which the others are added. Returns the administrator.
    pub fn found(&self, limit: Duration) -> Result<Client, WorldError> {
        let mut nodes = self.hosts.keys().copied();
        let Some(first) = nodes.next() else {
            return Err(WorldError::NotFounded("there are no machines"));
        };
        self.start(first, Founding::Alone);
        if !self.run_until(limit, |world| world.is_serving(first)) {
            return Err(WorldError::NotFounded("the first node does not serve"));
        }
        let admin = self.hosts[&first].process.borrow().as_ref().and_then(Process::admin);
        let admin = admin.ok_or(WorldError::NotFounded("there is no administrator"))?;
        for node in nodes {
            self.start(node, Founding::Join);
            self.run_until(limit, |world| world.cluster(node).is_some());
            let joining = self.joining(node);
            let add = |cluster: ClusterHandle| async move { cluster.add_member(joining).await };
            match self.at_node(first, limit, add) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Err(WorldError::NotAdded(error)),
                None => return Err(WorldError::NotFounded("a node could not be added in time")),
            }
        }
        let is_whole = |world: &Self| {
            let mut nodes = world.hosts.keys();
            nodes.all(|node| world.is_voter(*node, first) && world.is_serving(*node))
        };
        if !self.run_until(limit, is_whole) {
            return Err(WorldError::NotFounded("not every node came to vote and serve"));
        }
        Ok(admin)
    }
}
