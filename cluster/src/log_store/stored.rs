//! Votes, log ids and entries as they are written: layouts of our own, so that another version of the consensus
//! library cannot change what is on disk.
//!
//! **The order of variants and fields is the format of the log**, as in [`command`](crate::command).

use std::collections::{BTreeMap, BTreeSet};

use openraft::EntryPayload;
use openraft::entry::RaftEntry as _;
use openraft::impls::leader_id_adv::LeaderId;
use serde::{Deserialize, Serialize};

use crate::codec::{self, OLDEST};
use crate::command::Batch;
use crate::raft_types::{Entry, LogId, Member, Membership, StoredMembership, Vote};

/// Where an entry stands in the log, and who put it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredLogId {
    pub(crate) term: u64,
    pub(crate) leader: u64,
    pub(crate) index: u64,
}

impl From<&LogId> for StoredLogId {
    fn from(id: &LogId) -> Self {
        Self {
            term: id.leader_id.term,
            leader: id.leader_id.node_id,
            index: id.index,
        }
    }
}

impl From<StoredLogId> for LogId {
    fn from(id: StoredLogId) -> Self {
        LogId {
            leader_id: LeaderId {
                term: id.term,
                node_id: id.leader,
            },
            index: id.index,
        }
    }
}

/// Whom this node voted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredVote {
    term: u64,
    node: u64,
    committed: bool,
}

impl From<&Vote> for StoredVote {
    fn from(vote: &Vote) -> Self {
        Self {
            term: vote.leader_id.term,
            node: vote.leader_id.node_id,
            committed: vote.committed,
        }
    }
}

impl From<StoredVote> for Vote {
    fn from(vote: StoredVote) -> Self {
        if vote.committed {
            Vote::new_committed(vote.term, vote.node)
        } else {
            Vote::new(vote.term, vote.node)
        }
    }
}

/// Who belongs to the cluster; two sets of voters while it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredMembers {
    voters: Vec<BTreeSet<u64>>,
    members: BTreeMap<u64, Member>,
}

impl From<&Membership> for StoredMembers {
    fn from(membership: &Membership) -> Self {
        Self {
            voters: membership.get_joint_config().clone(),
            members: membership.nodes().map(|(id, member)| (*id, member.clone())).collect(),
        }
    }
}

impl TryFrom<StoredMembers> for Membership {
    type Error = String;
    fn try_from(stored: StoredMembers) -> Result<Self, String> {
        if stored.voters.is_empty() && stored.members.is_empty() {
            return Ok(Membership::default());
        }
        Membership::new(stored.voters, stored.members).map_err(|error| error.to_string())
    }
}

/// Who belongs to the cluster, and since which entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredMembersAt {
    log_id: Option<StoredLogId>,
    members: StoredMembers,
}

impl From<&StoredMembership> for StoredMembersAt {
    fn from(at: &StoredMembership) -> Self {
        Self {
            log_id: at.log_id().as_ref().map(StoredLogId::from),
            members: at.membership().into(),
        }
    }
}

impl TryFrom<StoredMembersAt> for StoredMembership {
    type Error = String;
    fn try_from(stored: StoredMembersAt) -> Result<Self, String> {
        Ok(StoredMembership::new(
            stored.log_id.map(LogId::from),
            stored.members.try_into()?,
        ))
    }
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredEntry {
    pub(crate) log_id: StoredLogId,
    payload: StoredPayload,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum StoredPayload {
    Blank,
    Commands(Batch),
    Members(StoredMembers),
}

impl From<&Entry> for StoredEntry {
    fn from(entry: &Entry) -> Self {
        let payload = match &entry.payload {
            EntryPayload::Blank => StoredPayload::Blank,
            EntryPayload::Normal(batch) => StoredPayload::Commands(batch.clone()),
            EntryPayload::Membership(membership) => StoredPayload::Members(membership.into()),
        };
        Self {
            log_id: StoredLogId::from(&entry.log_id),
            payload,
        }
    }
}

impl StoredEntry {
    /// The oldest format in which it is known.
    pub(crate) fn format(&self) -> u8 {
        match &self.payload {
            StoredPayload::Commands(batch) => batch.format(),
            StoredPayload::Blank | StoredPayload::Members(_) => OLDEST,
        }
    }

    /// Its bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        codec::encode_as(self.format(), self)
    }

    pub(crate) fn into_entry(self) -> Result<Entry, String> {
        let payload = match self.payload {
            StoredPayload::Blank => EntryPayload::Blank,
            StoredPayload::Commands(batch) => EntryPayload::Normal(batch),
            StoredPayload::Members(members) => EntryPayload::Membership(members.try_into()?),
        };
        Ok(Entry::new(self.log_id.into(), payload))
    }
}
