//! The consensus library's calls to one peer, over the transport.

use std::future::Future;
use std::io::{self, Read as _, Seek as _};
use std::pin::pin;
use std::time::Duration;

use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RaftNetworkFactory, RaftNetworkV2};

use super::message::{PeerAnswer, PeerRequest, SnapshotPiece};
use super::peers::{AskError, Peers};
use super::transport::{Peer, TransportError};
use crate::raft_types::{Member, Snapshot, TypeConfig, Vote};
use crate::state_machine::SnapshotFile;

/// How many bytes of a snapshot travel at once.
const PIECE_BYTES: u64 = 1024 * 1024;

/// Makes the links to the other members.
pub(crate) struct Links(pub(crate) Peers);

impl RaftNetworkFactory<TypeConfig> for Links {
    type Network = Link;

    async fn new_client(&mut self, target: u64, member: &Member) -> Link {
        Link {
            peer: Peer {
                node_id: target,
                address: member.address.clone(),
            },
            peers: self.0.clone(),
        }
    }
}

/// The link to one member.
pub(crate) struct Link {
    peer: Peer,
    peers: Peers,
}

type CallError = RPCError<TypeConfig>;

impl Link {
    async fn call(&self, request: &PeerRequest, deadline: Duration) -> Result<PeerAnswer, CallError> {
        self.peers
            .ask(&self.peer, request, deadline)
            .await
            .map_err(to_rpc_error)
    }

    /// An error after which the consensus waits before it tries again.
    fn refused(&self, reason: &str) -> CallError {
        let error = io::Error::other(format!("node {}: {reason}", self.peer.node_id));
        RPCError::Unreachable(Unreachable::new(&error))
    }

    fn unexpected(&self) -> CallError {
        to_rpc_error(AskError::unexpected(&self.peer))
    }

    async fn send_snapshot(
        &self,
        vote: Vote,
        mut snapshot: Snapshot,
        deadline: Duration,
    ) -> Result<SnapshotResponse<TypeConfig>, CallError> {
        snapshot
            .snapshot
            .0
            .rewind()
            .map_err(|error| self.refused(&error.to_string()))?;
        let mut offset = 0;
        loop {
            let (file, bytes) = read_piece(snapshot.snapshot)
                .await
                .map_err(|error| self.refused(&error.to_string()))?;
            snapshot.snapshot = file;
            let length = bytes.len() as u64;
            let is_last = length < PIECE_BYTES;
            let piece = SnapshotPiece {
                vote,
                meta: snapshot.meta.clone(),
                offset,
                bytes,
                is_last,
            };
            match self.call(&PeerRequest::Snapshot(piece), deadline).await? {
                PeerAnswer::Snapshot(response) => return Ok(response),
                PeerAnswer::PieceTaken if !is_last => offset += length,
                _ => return Err(self.unexpected()),
            }
        }
    }
}

/// The next piece of a file; shorter than the others at the end.
async fn read_piece(mut file: SnapshotFile) -> io::Result<(SnapshotFile, Vec<u8>)> {
    let read = move || {
        let mut bytes = Vec::new();
        (&mut file.0).take(PIECE_BYTES).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}

/// After an unreachable member the consensus waits before it tries again; after an interruption it does not.
fn to_rpc_error(error: AskError) -> CallError {
    match error {
        AskError::Transport(TransportError::Interrupted { .. }) => RPCError::Network(NetworkError::new(&error)),
        AskError::Transport(TransportError::Unreachable { .. }) | AskError::Refused { .. } => {
            RPCError::Unreachable(Unreachable::new(&error))
        }
    }
}

impl RaftNetworkV2<TypeConfig> for Link {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, CallError> {
        match self.call(&PeerRequest::Append(rpc), option.soft_ttl()).await? {
            PeerAnswer::Append(response) => Ok(response),
            _ => Err(self.unexpected()),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, CallError> {
        match self.call(&PeerRequest::Vote(rpc), option.soft_ttl()).await? {
            PeerAnswer::Vote(response) => Ok(response),
            _ => Err(self.unexpected()),
        }
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, CallError> {
        match self.call(&PeerRequest::PreVote(rpc), option.soft_ttl()).await? {
            PeerAnswer::Vote(response) => Ok(response),
            _ => Err(self.unexpected()),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, CallError> {
        match self
            .call(&PeerRequest::TransferLeader(request), option.soft_ttl())
            .await?
        {
            PeerAnswer::TransferLeader(response) => Ok(response),
            _ => Err(self.unexpected()),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let sending = pin!(self.send_snapshot(vote, snapshot, option.soft_ttl()));
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = sending => sent.map_err(StreamingError::from),
        }
    }
}
