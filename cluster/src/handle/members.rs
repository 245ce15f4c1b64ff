//! Who belongs to the cluster, through the handle: from any node, carried out by the leader.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};

use super::ClusterHandle;
use crate::error::ClusterError;
use crate::leader::LeaderError;
use crate::members::{self, MemberChange, MemberEntry};
use crate::network::{Peer, PeerAnswer, PeerRequest};
use crate::raft_types::Member;
use crate::report::MemberOverview;

/// How long a change of members may take, elections included.
const CHANGE_DEADLINE: Duration = Duration::from_secs(15);
/// How long to wait before asking again where there is no leader.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// How long a member may take to report.
const REPORT_DEADLINE: Duration = Duration::from_secs(1);

impl ClusterHandle {
    /// The members, as far as this node knows.
    pub fn members(&self) -> Vec<MemberEntry> {
        members::members(self.0.leader.raft())
    }

    /// The members with what each says of itself.
    pub async fn overview(&self) -> Vec<MemberOverview> {
        join_all(self.members().into_iter().map(|entry| self.look_at(entry))).await
    }

    /// Lets a node follow, without a vote; it catches up from then on. A member that has moved gets its new address.
    pub async fn add_learner(&self, node_id: u64, address: String, region: String) -> Result<(), ClusterError> {
        let member = Member { address, region };
        self.change_members(MemberChange::Add { node_id, member }).await
    }

    /// Gives a learner a vote.
    pub async fn promote(&self, node_id: u64) -> Result<(), ClusterError> {
        self.change_members(MemberChange::Promote(node_id)).await
    }

    /// Takes a voter's vote; it goes on as a learner.
    pub async fn demote(&self, node_id: u64) -> Result<(), ClusterError> {
        self.change_members(MemberChange::Demote(node_id)).await
    }

    /// Lets a member go. It should have been stopped, or be about to.
    pub async fn remove(&self, node_id: u64) -> Result<(), ClusterError> {
        self.change_members(MemberChange::Remove(node_id)).await
    }

    /// Asks the leader to hand over to another voter. Returns when it has been asked.
    pub async fn transfer_leader(&self, node_id: u64) -> Result<(), ClusterError> {
        self.change_members(MemberChange::TransferLeader(node_id)).await
    }

    async fn change_members(&self, change: MemberChange) -> Result<(), ClusterError> {
        let give_up_at = Instant::now() + CHANGE_DEADLINE;
        loop {
            match self.0.leader.change_members(change.clone()).await {
                Ok(()) => return Ok(()),
                Err(LeaderError::Refused(reason)) => return Err(ClusterError::Refused(reason)),
                Err(LeaderError::Stopped(reason)) => return Err(ClusterError::Stopped(reason)),
                Err(error @ (LeaderError::NotLeader | LeaderError::Lost(_))) => {
                    if Instant::now() >= give_up_at {
                        return Err(ClusterError::Refused(error.to_string()));
                    }
                }
            }
            sleep(RETRY_AFTER).await;
        }
    }

    async fn look_at(&self, entry: MemberEntry) -> MemberOverview {
        if entry.node_id == self.status().node_id {
            let report = Ok(self.0.receiving.report());
            return MemberOverview { entry, report };
        }
        let peer = Peer {
            node_id: entry.node_id,
            address: entry.address.clone(),
        };
        let asked = self.0.leader.peers().ask(&peer, &PeerRequest::Report, REPORT_DEADLINE);
        let report = match asked.await {
            Ok(PeerAnswer::Report(report)) => Ok(report),
            Ok(_) => Err("its answer does not belong to the request".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        MemberOverview { entry, report }
    }
}
