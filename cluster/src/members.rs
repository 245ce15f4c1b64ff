//! Who belongs to the cluster, and changes of it. A member is a voter, or a learner that follows without a vote.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use openraft::ChangeMembers;
use openraft::async_runtime::WatchReceiver as _;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::codec::OLDEST;
use crate::network::{Peer, PeerRequest, Peers};
use crate::raft_types::{Member, Raft};
use crate::reach;

/// How long a leader waits until a change of the members may be made.
const HOLDS_WITHIN: Duration = Duration::from_secs(3);
/// How long it waits before it looks again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How long a member may take to answer that it is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// A member as the committed membership has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberEntry {
    /// Its number.
    pub node_id: u64,
    /// Where it listens for the other members; empty in a cluster of one.
    pub address: String,
    /// Where it stands; empty if regions do not matter.
    pub region: String,
    /// Whether it votes.
    pub is_voter: bool,
}

/// A change of who belongs to the cluster. Each is harmless if repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MemberChange {
    /// A node begins to follow, without a vote.
    Add {
        /// Who.
        node_id: u64,
        /// What the others know of it.
        member: Member,
        /// Whether a member of this number may move to another address; if not, its number is taken.
        may_move: bool,
    },
    /// A learner gets a vote.
    Promote(u64),
    /// A voter goes on as a learner.
    Demote(u64),
    /// A member leaves.
    Remove(u64),
    /// Another voter becomes the leader.
    TransferLeader(u64),
    /// As `Add`, of a node that knows more than the first format.
    AddKnowing {
        /// Who.
        node_id: u64,
        /// What the others know of it.
        member: Member,
        /// Whether a member of this number may move to another address.
        may_move: bool,
        /// The latest format that it knows.
        known: u8,
    },
}

impl MemberChange {
    /// Whom this adds, and the latest format that the node knows.
    pub(crate) fn adds(&self) -> Option<(u64, u8)> {
        match self {
            MemberChange::Add { node_id, .. } => Some((*node_id, OLDEST)),
            MemberChange::AddKnowing { node_id, known, .. } => Some((*node_id, *known)),
            MemberChange::Promote(_)
            | MemberChange::Demote(_)
            | MemberChange::Remove(_)
            | MemberChange::TransferLeader(_) => None,
        }
    }
}

/// Why the members were not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemberChangeError {
    #[error("this node does not lead")]
    NotLeader,
    #[error("another change of the members is under way")]
    Busy,
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Stopped(String),
}

/// The members, as far as this node knows, by their numbers.
pub(crate) fn members(raft: &Raft) -> Vec<MemberEntry> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let membership = metrics.membership_config.membership();
    let voters: BTreeSet<u64> = membership.voter_ids().collect();
    let mut members: Vec<MemberEntry> = membership
        .nodes()
        .map(|(node_id, member)| MemberEntry {
            node_id: *node_id,
            address: member.address.clone(),
            region: member.region.clone(),
            is_voter: voters.contains(node_id),
        })
        .collect();
    members.sort_by_key(|member| member.node_id);
    members
}

/// The voter that lacks least of what this node has, if this node leads and there is another.
pub(crate) fn best_successor(raft: &Raft) -> Option<u64> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let progress = metrics.replication.as_ref()?;
    let voters = metrics.membership_config.membership().voter_ids();
    voters
        .filter(|node_id| *node_id != metrics.id)
        .max_by_key(|node_id| progress.get(node_id).copied().flatten().map(|matched| matched.index))
}

/// The members beside this node.
pub(crate) fn others(raft: &Raft) -> Vec<Peer> {
    let me = *raft.node_id();
    let others = members(raft).into_iter().filter(|member| member.node_id != me);
    others
        .map(|member| Peer {
            node_id: member.node_id,
            address: member.address,
        })
        .collect()
}

/// Changes the members, here on the leader. Returns when the change is committed.
pub(crate) async fn change(raft: &Raft, peers: &Peers, change: MemberChange) -> Result<(), MemberChangeError> {
    let known = members(raft);
    let find = |node_id: u64| known.iter().find(|member| member.node_id == node_id);
    if is_unfinished(raft) {
        return Err(MemberChangeError::Busy);
    }
    match change {
        MemberChange::Add {
            node_id,
            member,
            may_move,
        }
        | MemberChange::AddKnowing {
            node_id,
            member,
            may_move,
            ..
        } => match find(node_id) {
            Some(known) if known.address == member.address && known.region == member.region => Ok(()),
            Some(known) if !may_move => Err(MemberChangeError::Refused(format!(
                "there is a node {node_id} already, at {}; give the new one another cluster.node_id",
                known.address
            ))),
            // A node that has moved: its number and its log stay the same.
            Some(_) => set_member(raft, node_id, member).await,
            // Two nodes are not in one place. One that moves to where another was may be faster than that one.
            None if known.iter().any(|other| other.address == member.address) => {
                Err(MemberChangeError::Refused(format!(
                    "another node is at {} already; correct the new one's cluster.advertise, or remove the other",
                    member.address
                )))
            }
            None => write(raft, ChangeMembers::AddNodes(BTreeMap::from([(node_id, member)])), true).await,
        },
        MemberChange::Promote(node_id) => match find(node_id) {
            None => Err(unknown(node_id)),
            Some(member) if member.is_voter => Ok(()),
            Some(_) => {
                in_time(|| require_vote_helps(raft, peers, node_id)).await?;
                write(raft, ChangeMembers::AddVoterIds(BTreeSet::from([node_id])), true).await
            }
        },
        MemberChange::Demote(node_id) => match find(node_id) {
            None => Err(unknown(node_id)),
            Some(member) if !member.is_voter => Ok(()),
            Some(_) => {
                in_time(|| require_majority_without(raft, peers, node_id)).await?;
                set_member(raft, node_id, without_vote(raft, node_id)?).await?;
                write(raft, ChangeMembers::RemoveVoters(BTreeSet::from([node_id])), true).await
            }
        },
        MemberChange::Remove(node_id) => match find(node_id) {
            None => Ok(()),
            Some(member) if !member.is_voter => {
                write(raft, ChangeMembers::RemoveNodes(BTreeSet::from([node_id])), false).await
            }
            Some(_) => {
                in_time(|| require_majority_without(raft, peers, node_id)).await?;
                write(raft, ChangeMembers::RemoveVoters(BTreeSet::from([node_id])), false).await
            }
        },
        MemberChange::TransferLeader(node_id) => transfer_leader(raft, node_id).await,
    }
}

/// Has another voter lead, here on the leader. Returns when it is asked to.
pub(crate) async fn transfer_leader(raft: &Raft, node_id: u64) -> Result<(), MemberChangeError> {
    match members(raft).iter().find(|member| member.node_id == node_id) {
        Some(member) if member.is_voter => transfer(raft, node_id).await,
        Some(_) => Err(MemberChangeError::Refused(format!(
            "node {node_id} is a learner; promote it first"
        ))),
        None => Err(unknown(node_id)),
    }
}

/// Whether a change of the voters is under way: until it is finished nobody can tell whom the next one would leave.
fn is_unfinished(raft: &Raft) -> bool {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    metrics.membership_config.membership().get_joint_config().len() > 1
}

async fn set_member(raft: &Raft, node_id: u64, member: Member) -> Result<(), MemberChangeError> {
    write(raft, ChangeMembers::SetNodes(BTreeMap::from([(node_id, member)])), true).await
}

/// A voter as a member that does not want a vote any more, or it would be promoted again at once.
fn without_vote(raft: &Raft, node_id: u64) -> Result<Member, MemberChangeError> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let membership = metrics.membership_config.membership();
    let member = membership.get_node(&node_id).ok_or_else(|| unknown(node_id))?;
    Ok(Member {
        wants_vote: false,
        ..member.clone()
    })
}

async fn transfer(raft: &Raft, node_id: u64) -> Result<(), MemberChangeError> {
    if !raft.is_leader() {
        return Err(MemberChangeError::NotLeader);
    }
    if node_id == *raft.node_id() {
        return Ok(());
    }
    let asked = raft.trigger().transfer_leader(node_id).await;
    asked.map_err(|fatal| MemberChangeError::Stopped(fatal.to_string()))
}

/// Gives the last of the sets of voters the only say, if there are two of them: a change was begun, and whoever began it
/// is gone. Until then a majority of each is needed.
pub(crate) async fn finish_change(raft: &Raft) -> Result<(), MemberChangeError> {
    let wanted = {
        let metrics = raft.metrics();
        let metrics = metrics.borrow_watched();
        let sets = metrics.membership_config.membership().get_joint_config().clone();
        sets.into_iter().skip(1).last()
    };
    match wanted {
        Some(voters) => write(raft, ChangeMembers::ReplaceAllVoters(voters), true).await,
        None => Ok(()),
    }
}

/// A change of the voters takes two entries.
async fn write(raft: &Raft, change: ChangeMembers<u64, Member>, retain: bool) -> Result<(), MemberChangeError> {
    match raft.change_membership(change, retain).await {
        Ok(_) => Ok(()),
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_) | ClientWriteError::LogEntryDiscarded(_))) => {
            Err(MemberChangeError::NotLeader)
        }
        Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(
            ChangeMembershipError::InProgress(_) | ChangeMembershipError::UncommittedLeaderLog(_),
        ))) => Err(MemberChangeError::Busy),
        Err(RaftError::APIError(refused)) => Err(MemberChangeError::Refused(refused.to_string())),
        Err(RaftError::Fatal(fatal)) => Err(MemberChangeError::Stopped(fatal.to_string())),
    }
}

fn unknown(node_id: u64) -> MemberChangeError {
    MemberChangeError::Refused(format!("there is no node {node_id} in this cluster"))
}

/// What holds in a moment holds: a leader has heard of nobody at first, and a member is caught up soon after it joined.
async fn in_time<Held>(holds: impl Fn() -> Held) -> Result<(), MemberChangeError>
where
    Held: Future<Output = Result<(), MemberChangeError>>,
{
    let give_up_at = Instant::now() + HOLDS_WITHIN;
    loop {
        match holds().await {
            Err(MemberChangeError::Refused(_)) if Instant::now() < give_up_at => sleep(LOOK_AGAIN_AFTER).await,
            held => return held,
        }
    }
}

/// A vote of a node that is not there, or lacks much, would be missed where a majority is needed.
async fn require_vote_helps(raft: &Raft, peers: &Peers, node_id: u64) -> Result<(), MemberChangeError> {
    let with_it = |member: &MemberEntry| member.is_voter || member.node_id == node_id;
    let (voters, silent) = ask(raft, peers, with_it).await;
    if silent.contains(&node_id) {
        return Err(MemberChangeError::Refused(format!(
            "node {node_id} does not answer; start it, and it is promoted when it has caught up"
        )));
    }
    if is_behind(raft, node_id)? {
        return Err(MemberChangeError::Refused(format!(
            "node {node_id} has not caught up yet; try again when agentidp cluster status shows no lag"
        )));
    }
    if (voters - silent.len()) * 2 > voters {
        return Ok(());
    }
    Err(MemberChangeError::Refused(format!(
        "with node {node_id} as one voter more there would be no majority: {}",
        who_is_silent(&silent)
    )))
}

/// Whether a node lacks much of what this leader has, or has not been heard of lately.
fn is_behind(raft: &Raft, node_id: u64) -> Result<bool, MemberChangeError> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    if metrics.heartbeat.is_none() {
        return Err(MemberChangeError::NotLeader);
    }
    Ok(!reach::is_there(&metrics, node_id) || !reach::has_caught_up(&metrics, node_id))
}

/// Those who vote without this node must be able to decide, or nobody could take the change back.
async fn require_majority_without(raft: &Raft, peers: &Peers, node_id: u64) -> Result<(), MemberChangeError> {
    let without_it = |member: &MemberEntry| member.is_voter && member.node_id != node_id;
    let (voters, silent) = ask(raft, peers, without_it).await;
    majority_without(node_id, voters, &silent).map_err(MemberChangeError::Refused)
}

/// How many members these are, and who of them does not answer. They are asked now: who has just died was heard of a moment ago.
async fn ask(raft: &Raft, peers: &Peers, whom: impl Fn(&MemberEntry) -> bool) -> (usize, Vec<u64>) {
    let me = *raft.node_id();
    let asked: Vec<MemberEntry> = members(raft).into_iter().filter(whom).collect();
    let asking = asked.iter().map(|member| async move {
        let peer = Peer {
            node_id: member.node_id,
            address: member.address.clone(),
        };
        let answers = peer.node_id == me || peers.ask(&peer, &PeerRequest::Report, ANSWERS_WITHIN).await.is_ok();
        (!answers).then_some(peer.node_id)
    });
    let silent = join_all(asking).await.into_iter().flatten().collect();
    (asked.len(), silent)
}

/// Whether so many voters could decide without this node, although these do not answer; if not, why.
pub(crate) fn majority_without(node_id: u64, rest: usize, silent: &[u64]) -> Result<(), String> {
    if rest == 0 {
        return Err(format!("node {node_id} is the only voter; promote another one first"));
    }
    if (rest - silent.len()) * 2 > rest {
        return Ok(());
    }
    Err(format!(
        "without node {node_id} there would be no majority: {}",
        who_is_silent(silent)
    ))
}

fn who_is_silent(silent: &[u64]) -> String {
    let silent: Vec<String> = silent.iter().map(u64::to_string).collect();
    format!(
        "node {} does not answer; start it or remove it first",
        silent.join(" and node ")
    )
}
