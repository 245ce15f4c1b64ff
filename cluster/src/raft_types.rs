//! The consensus library's types, made concrete: the one place where they are chosen.

use openraft::impls::leader_id_adv::LeaderId;
use serde::{Deserialize, Serialize};

use crate::command::{Batch, BatchResults};
use crate::raft_runtime::RaftRuntime;
use crate::state_machine::{SnapshotFile, StateMachine};

openraft::declare_raft_types!(
    /// How this crate uses the consensus library.
    pub(crate) TypeConfig:
        D = Batch,
        R = BatchResults,
        NodeId = u64,
        Node = Member,
        AsyncRuntime = RaftRuntime,
);

type CommittedLeader = LeaderId<u64, u64>;

pub(crate) type Raft = openraft::Raft<TypeConfig, StateMachine>;
pub(crate) type RaftMetrics = openraft::RaftMetrics<TypeConfig>;
pub(crate) type LogId = openraft::LogId<CommittedLeader>;
pub(crate) type Vote = openraft::Vote<CommittedLeader>;
pub(crate) type Entry = <TypeConfig as openraft::RaftTypeConfig>::Entry;
pub(crate) type Membership = openraft::Membership<u64, Member>;
pub(crate) type StoredMembership = openraft::StoredMembership<CommittedLeader, u64, Member>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<CommittedLeader, u64, Member>;
pub(crate) type Snapshot = openraft::Snapshot<CommittedLeader, u64, Member, SnapshotFile>;

/// What the members of a cluster know of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Where it listens for the other members; empty in a cluster of one.
    pub(crate) address: String,
    /// Where it stands; empty if regions do not matter.
    pub(crate) region: String,
    /// Whether it is to vote once it has caught up.
    pub(crate) wants_vote: bool,
}
