//! What members say to each other. One request, one answer; the codec's version byte comes first in both.
//!
//! These carry the consensus library's own types, whose layout may change with its version: members understand each
//! other only within one version of the wire, which the hello of a connection must compare.

use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};

use crate::command::{Batch, BatchId, BatchResults};
use crate::members::MemberChange;
use crate::raft_types::{SnapshotMeta, TypeConfig, Vote};
use crate::report::MemberReport;
use crate::sealing::MasterKeyId;
use crate::standing::{Standing, Wanted};

/// A request.
#[derive(Serialize, Deserialize)]
pub(crate) enum PeerRequest {
    Append(AppendEntriesRequest<TypeConfig>),
    Vote(VoteRequest<TypeConfig>),
    PreVote(VoteRequest<TypeConfig>),
    TransferLeader(TransferLeaderRequest<TypeConfig>),
    Snapshot(SnapshotPiece),
    /// To the leader: propose this.
    Propose(Batch),
    /// To the leader: how far is the log committed? It asks its quorum whether it still leads.
    ReadIndex,
    /// Answer how far a batch has come with you when it is as far as is wanted, or when so many milliseconds have passed.
    AwaitBatch {
        batch: BatchId,
        wanted: Wanted,
        limit_ms: u64,
    },
    /// To the leader: change who belongs to the cluster.
    ChangeMembers(MemberChange),
    /// How are you?
    Report,
    /// Which master keys do you hold?
    MasterKeys,
    /// You are about to be removed: answer when you have answered what you were asked.
    Drain,
    /// Entries after others of the same sequence, in whatever order they come in.
    AppendNext(Sequenced),
}

/// A request to append entries that has its place in a sequence.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sequenced {
    /// Who sends it.
    pub(super) node_id: u64,
    /// Drawn at random when the sender started: its sequences begin anew.
    pub(super) incarnation: u64,
    /// Which of the sender's sequences; later ones have greater numbers.
    pub(super) sequence: u64,
    /// Counts up from 0.
    pub(super) number: u64,
    pub(super) rpc: AppendEntriesRequest<TypeConfig>,
}

/// A piece of a snapshot. Pieces follow each other; the one at offset 0 begins a new transfer.
#[derive(Serialize, Deserialize)]
pub(crate) struct SnapshotPiece {
    pub(super) vote: Vote,
    pub(super) meta: SnapshotMeta,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) is_last: bool,
}

/// An answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum PeerAnswer {
    Append(AppendEntriesResponse<TypeConfig>),
    Vote(VoteResponse<TypeConfig>),
    TransferLeader(TransferLeaderResponse<TypeConfig>),
    /// The piece was taken, the next one may come.
    PieceTaken,
    /// The last piece was taken and the snapshot installed, or refused for a higher vote.
    Snapshot(SnapshotResponse<TypeConfig>),
    /// The request was not carried out.
    Failed(String),
    /// The batch is applied.
    Proposed(BatchResults),
    /// Who was asked does not lead, or does not know whether it still does; nothing was done.
    NotLeader,
    /// The index of the last committed entry.
    ReadIndex(u64),
    /// How far the batch has come; `None` if not as far as was wanted.
    Reached(Option<Standing>),
    /// The members are changed.
    MembersChanged,
    /// How it is.
    Report(MemberReport),
    /// Another change of the members is under way; nothing was done.
    Busy,
    /// The master keys that it holds.
    MasterKeys(Vec<MasterKeyId>),
    /// Nothing is in flight any more, or it took too long.
    Drained,
}
