//! What members say to each other. One request, one answer; the codec's version byte comes first in both.
//!
//! These carry the consensus library's own types, whose layout may change with its version: members understand each
//! other only within one version of the wire, which the hello of a connection must compare.

use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};

use crate::raft_types::{SnapshotMeta, TypeConfig, Vote};

/// A request.
#[derive(Serialize, Deserialize)]
pub(super) enum PeerRequest {
    Append(AppendEntriesRequest<TypeConfig>),
    Vote(VoteRequest<TypeConfig>),
    PreVote(VoteRequest<TypeConfig>),
    TransferLeader(TransferLeaderRequest<TypeConfig>),
    Snapshot(SnapshotPiece),
}

/// A piece of a snapshot. Pieces follow each other; the one at offset 0 begins a new transfer.
#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotPiece {
    pub(super) vote: Vote,
    pub(super) meta: SnapshotMeta,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) is_last: bool,
}

/// An answer.
#[derive(Serialize, Deserialize)]
pub(super) enum PeerAnswer {
    Append(AppendEntriesResponse<TypeConfig>),
    Vote(VoteResponse<TypeConfig>),
    TransferLeader(TransferLeaderResponse<TypeConfig>),
    /// The piece was taken, the next one may come.
    PieceTaken,
    /// The last piece was taken and the snapshot installed, or refused for a higher vote.
    Snapshot(SnapshotResponse<TypeConfig>),
    /// The request was not carried out.
    Failed(String),
}
