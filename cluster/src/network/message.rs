//! What members say to each other. One request, one answer; the codec's format comes first in both.
//!
//! These carry the consensus library's own types, whose layout may change with its version: members understand each
//! other only within one version of the wire, which the hello of a connection must compare. Within one, variants are
//! added at the end: a member that does not know a request says so. A test keeps the bytes of each.

use openraft::EntryPayload;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};

use crate::codec::OLDEST;
use crate::command::{Batch, BatchId, BatchResults};
use crate::formats::FormatReport;
use crate::members::MemberChange;
use crate::progress::{Progress, Wanted};
use crate::raft_types::{Entry, SnapshotMeta, TypeConfig, Vote};
use crate::report::MemberReport;
use crate::sealing::MasterKeyId;

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
    /// Which formats do you know?
    Formats,
    /// To the leader: is the node of this number a member?
    IsMember(u64),
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
    pub(crate) rpc: AppendEntriesRequest<TypeConfig>,
}

impl PeerRequest {
    /// Where `Append` and `AppendNext` stand among the variants.
    const ENTRIES: [u8; 2] = [0, 12];

    /// Whether these bytes are entries of the log, of whatever format: the variant comes after the format.
    pub(crate) fn are_entries(bytes: &[u8]) -> bool {
        bytes.get(1).is_some_and(|variant| Self::ENTRIES.contains(variant))
    }

    /// What the variants are called, in order.
    const NAMES: [&str; 15] = [
        "append",
        "vote",
        "pre-vote",
        "transfer-leader",
        "snapshot",
        "propose",
        "read-index",
        "await-batch",
        "change-members",
        "report",
        "master-keys",
        "drain",
        "append-next",
        "formats",
        "is-member",
    ];

    /// The oldest format in which all that it carries is known. A member that does not know it must not go on; a member
    /// that does not know the request itself says so, and no more comes of it.
    pub(crate) fn format(&self) -> u8 {
        match self {
            PeerRequest::Append(rpc) | PeerRequest::AppendNext(Sequenced { rpc, .. }) => {
                rpc.entries.iter().map(format_of).max().unwrap_or(OLDEST)
            }
            PeerRequest::Propose(batch) => batch.format(),
            _ => OLDEST,
        }
    }
}

/// What a request that one member makes of another is called, for people.
pub fn request_name(request: &[u8]) -> &'static str {
    let variant = request.get(1).map(|variant| usize::from(*variant));
    variant
        .and_then(|variant| PeerRequest::NAMES.get(variant))
        .unwrap_or(&"?")
}

fn format_of(entry: &Entry) -> u8 {
    match &entry.payload {
        EntryPayload::Normal(batch) => batch.format(),
        EntryPayload::Blank | EntryPayload::Membership(_) => OLDEST,
    }
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
    Reached(Option<Progress>),
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
    /// Which formats it knows.
    Formats(FormatReport),
    /// Whether it is a member.
    IsMember(bool),
}

#[cfg(test)]
mod tests;
