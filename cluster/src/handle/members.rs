//! Who belongs to the cluster, through the handle: from any node, carried out by the leader.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use domain::Secret;
use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::ClusterHandle;
use crate::codec::OLDEST;
use crate::command::{Command, Refusal};
use crate::error::ClusterError;
use crate::leader::LeaderError;
use crate::members::{self, MemberChange, MemberEntry};
use crate::network::{Peer, PeerAnswer, PeerRequest};
use crate::raft_types::{Member, RaftMetrics};
use crate::report::MemberOverview;
use crate::state::InviteDigest;

/// How long a change of members may take, elections included.
const CHANGE_DEADLINE: Duration = Duration::from_secs(15);
/// How long to wait before asking again where there is no leader.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// How long a leader that is removed may take to hand over.
const HAND_OVER_DEADLINE: Duration = Duration::from_secs(2);
/// How long the answer may take of a member that is drained: longer than it waits itself.
const DRAIN_DEADLINE: Duration = Duration::from_secs(6);
/// How long a member may take to report.
const REPORT_DEADLINE: Duration = Duration::from_secs(1);

/// What every invitation begins with, so that people and scanners know one when they see it.
const INVITE_PREFIX: &str = "agentidp_invite_";

/// A node that wants to belong to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Its number; unique in the cluster and never given to another node.
    pub node_id: u64,
    /// Where the other members reach it.
    pub address: String,
    /// Where it stands; empty if regions do not matter.
    pub region: String,
    /// Whether it is to vote once it has caught up.
    pub wants_vote: bool,
    /// The latest format of the replicated state that it knows; one that does not say so knows the first.
    pub known_format: Option<u8>,
}

fn digest_of(secret: &str) -> InviteDigest {
    let mut bytes = InviteDigest::default();
    bytes.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    bytes
}

impl ClusterHandle {
    /// The members, as far as this node knows.
    pub fn members(&self) -> Vec<MemberEntry> {
        members::members(self.0.leader.raft())
    }

    /// The members with what each says of itself.
    pub async fn overview(&self) -> Vec<MemberOverview> {
        join_all(self.members().into_iter().map(|entry| self.look_at(entry))).await
    }

    /// Makes an invitation, which lets one node join within `lifetime`. Its secret is in this answer and nowhere else.
    pub async fn invite(&self, lifetime: Duration) -> Result<Secret, ClusterError> {
        let mut random = Zeroizing::new([0u8; 32]);
        self.0.entropy.fill(random.as_mut());
        let mut secret = String::from(INVITE_PREFIX);
        random.iter().for_each(|byte| {
            let _ = write!(secret, "{byte:02x}");
        });
        let expires_at = self.0.steady_clock.now().plus(lifetime);
        let digest = digest_of(&secret);
        self.require_done(Command::Invite { digest, expires_at }).await?;
        Ok(Secret::new(secret))
    }

    /// A node that shows an invitation is added: it follows, catches up, and, if it wants to, votes from then on. Harmless
    /// if repeated, as one does whose answer was lost.
    pub async fn join(&self, invite: &Secret, joining: Joining) -> Result<(), ClusterError> {
        let node_id = joining.node_id;
        let digest = digest_of(invite.expose());
        // Whoever invents invitations must not make the members write. The invitation may just have been made elsewhere.
        if !self.0.published.load().has_invite(&digest) {
            self.refresh().await.map_err(ClusterError::Refused)?;
            if !self.0.published.load().has_invite(&digest) {
                return Err(ClusterError::Refused(Refusal::NoSuchInvite.to_string()));
            }
        }
        let redeem = Command::RedeemInvite {
            digest,
            node_id,
            now: self.0.steady_clock.now(),
        };
        self.require_done(redeem).await?;
        self.add(joining, false).await
    }

    /// Adds a node without an invitation; a member that has moved gets its new address.
    pub async fn add_member(&self, joining: Joining) -> Result<(), ClusterError> {
        self.add(joining, true).await
    }

    async fn add(&self, joining: Joining, may_move: bool) -> Result<(), ClusterError> {
        let node_id = joining.node_id;
        let member = Member {
            address: joining.address,
            region: joining.region,
            wants_vote: joining.wants_vote,
        };
        // Every member understands the shorter one.
        let change = match joining.known_format {
            Some(known) if known > OLDEST => MemberChange::AddKnowing {
                node_id,
                member,
                may_move,
                known,
            },
            _ => MemberChange::Add {
                node_id,
                member,
                may_move,
            },
        };
        self.change_members(change).await
    }

    /// Gives a learner a vote.
    pub async fn promote(&self, node_id: u64) -> Result<(), ClusterError> {
        self.change_members(MemberChange::Promote(node_id)).await
    }

    /// Takes a voter's vote; it goes on as a learner. One that leads hands over first.
    pub async fn demote(&self, node_id: u64) -> Result<(), ClusterError> {
        self.require_majority_without(node_id).await?;
        self.let_another_lead(node_id).await;
        self.change_members(MemberChange::Demote(node_id)).await
    }

    /// Lets a member go. It hands over if it leads, and answers what it was asked, before it is removed; one that can't be
    /// reached is removed as it is.
    pub async fn remove(&self, node_id: u64) -> Result<(), ClusterError> {
        let members = self.members();
        if let Some(leaving) = members.iter().find(|member| member.node_id == node_id) {
            if leaving.is_voter {
                self.require_majority_without(node_id).await?;
                self.let_another_lead(node_id).await;
            }
            self.drain(leaving).await;
        }
        self.change_members(MemberChange::Remove(node_id)).await
    }

    /// Refuses what would leave those who vote without this node unable to decide, before anything is done about it.
    async fn require_majority_without(&self, node_id: u64) -> Result<(), ClusterError> {
        let voters = self.overview().await.into_iter();
        let rest: Vec<MemberOverview> = voters
            .filter(|member| member.entry.is_voter && member.entry.node_id != node_id)
            .collect();
        let silent = rest.iter().filter(|member| member.report.is_err());
        let silent: Vec<u64> = silent.map(|member| member.entry.node_id).collect();
        members::majority_without(node_id, rest.len(), &silent).map_err(ClusterError::Refused)
    }

    /// If the node leads, another one leads when this returns, as long as one can be found.
    async fn let_another_lead(&self, node_id: u64) {
        if self.status().leader == Some(node_id)
            && let Some(next) = self.successor_of(node_id).await
        {
            self.replace_leader(node_id, next, HAND_OVER_DEADLINE).await;
        }
    }

    async fn drain(&self, leaving: &MemberEntry) {
        let node_id = leaving.node_id;
        if node_id == self.status().node_id {
            return self.0.drain.ask().await;
        }
        let peer = Peer {
            node_id,
            address: leaving.address.clone(),
        };
        let asked = self.0.leader.peers().ask(&peer, &PeerRequest::Drain, DRAIN_DEADLINE);
        if let Err(error) = asked.await {
            tracing::info!(node_id, %error, "a member could not be drained before its removal");
        }
    }

    /// The voter that has applied most, of those that can be asked.
    async fn successor_of(&self, node_id: u64) -> Option<u64> {
        let members = self.overview().await.into_iter();
        let able = members.filter(|member| member.entry.is_voter && member.entry.node_id != node_id);
        let able = able.filter_map(|member| Some((member.report.ok()?.last_applied, member.entry.node_id)));
        able.max_by_key(|(applied, _)| *applied).map(|(_, next)| next)
    }

    /// Changes when this node is to be drained, since it is about to be removed. Whoever serves requests listens, stops being
    /// ready, and says with [`ClusterHandle::drained`] when it has answered those that it has.
    pub fn drain_asked(&self) -> watch::Receiver<u64> {
        self.0.drain.asked()
    }

    /// What was asked by this number is done.
    pub fn drained(&self, number: u64) {
        self.0.drain.done(number);
    }

    /// Asks the leader to hand over to another voter. Returns when it has been asked.
    pub async fn transfer_leader(&self, node_id: u64) -> Result<(), ClusterError> {
        self.change_members(MemberChange::TransferLeader(node_id)).await
    }

    /// Lets another voter lead, if this node does; for a node that is about to stop. Returns when this node leads no longer,
    /// or after `deadline`: then the others elect one when this node is gone.
    pub async fn hand_over(&self, deadline: Duration) {
        let raft = self.0.leader.raft();
        let me = *raft.node_id();
        let Some(next) = members::best_successor(raft) else {
            return;
        };
        self.replace_leader(me, next, deadline).await;
    }

    /// Has another voter lead instead of `former`, and waits until somebody does, or it took too long.
    async fn replace_leader(&self, former: u64, next: u64, deadline: Duration) {
        if self.transfer_leader(next).await.is_err() {
            return;
        }
        let is_led_by_another =
            move |metrics: &RaftMetrics| metrics.current_leader.is_some_and(|leader| leader != former);
        let waiting = self.0.leader.raft().wait(Some(deadline));
        if waiting.metrics(is_led_by_another, "another leader").await.is_err() {
            tracing::debug!(next, "the next leader had not begun in time");
        }
    }

    async fn change_members(&self, change: MemberChange) -> Result<(), ClusterError> {
        let give_up_at = Instant::now() + CHANGE_DEADLINE;
        loop {
            match self.0.leader.change_members(change.clone()).await {
                Ok(()) => return Ok(()),
                Err(LeaderError::Refused(reason)) => return Err(ClusterError::Refused(reason)),
                Err(LeaderError::Stopped(reason)) => return Err(ClusterError::Stopped(reason)),
                Err(error @ (LeaderError::NotLeader | LeaderError::Busy | LeaderError::Lost(_))) => {
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
