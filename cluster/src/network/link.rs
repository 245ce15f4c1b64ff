//! The consensus library's calls to one peer, over the transport.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RaftNetworkFactory, RaftNetworkV2};

use super::message::{PeerAnswer, PeerRequest, Sequenced, SnapshotPiece};
use super::peers::{AskError, Peers};
use super::transport::{Peer, TransportError};
use crate::execution::Execution;
use crate::files::read_piece;
use crate::raft_types::{LogId, Member, Snapshot, TypeConfig, Vote};
use crate::state_machine::SnapshotFile;

/// How many bytes of a snapshot travel at once.
const PIECE_BYTES: u64 = 1024 * 1024;

/// How many requests of a sequence are under way at once.
pub(super) const APPENDS_IN_FLIGHT: usize = 32;
/// How long one of them may take. The connection notices by itself when it breaks; asking again over one that is only
/// slow would make it slower.
const APPEND_LIMIT: Duration = Duration::from_secs(2);
/// How long a piece of a snapshot may take; the last one is answered when all of it is installed and fsynced.
const PIECE_LIMIT: Duration = Duration::from_secs(60);

/// Makes the links to the other members.
pub(crate) struct Links {
    peers: Peers,
    node_id: u64,
    incarnation: u64,
    sequences: Arc<AtomicU64>,
    execution: Execution,
}

impl Links {
    /// Links of a node; `incarnation` tells its sequences from those of its earlier starts.
    pub(crate) fn new(peers: Peers, node_id: u64, incarnation: u64, execution: Execution) -> Self {
        Self {
            peers,
            node_id,
            incarnation,
            sequences: Arc::default(),
            execution,
        }
    }
}

impl RaftNetworkFactory<TypeConfig> for Links {
    type Network = Link;

    async fn new_client(&mut self, target: u64, member: &Member) -> Link {
        Link {
            peer: Peer {
                node_id: target,
                address: member.address.clone(),
            },
            peers: self.peers.clone(),
            node_id: self.node_id,
            incarnation: self.incarnation,
            sequences: self.sequences.clone(),
            execution: self.execution,
        }
    }
}

/// The link to one member.
pub(crate) struct Link {
    peer: Peer,
    peers: Peers,
    node_id: u64,
    incarnation: u64,
    sequences: Arc<AtomicU64>,
    execution: Execution,
}

type CallError = RPCError<TypeConfig>;
/// What came of a request of a sequence.
type Appended = Result<StreamAppendResult<TypeConfig>, CallError>;

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

    /// Sends one request of a sequence.
    async fn append_next(&self, sequence: u64, number: u64, rpc: AppendEntriesRequest<TypeConfig>) -> Appended {
        let (before, last) = range(&rpc);
        let sequenced = Sequenced {
            node_id: self.node_id,
            incarnation: self.incarnation,
            sequence,
            number,
            rpc,
        };
        match self.call(&PeerRequest::AppendNext(sequenced), APPEND_LIMIT).await? {
            PeerAnswer::Append(response) => Ok(response.into_stream_result(before, last)),
            _ => Err(self.unexpected()),
        }
    }

    async fn send_snapshot(&self, vote: Vote, snapshot: Snapshot) -> Result<SnapshotResponse<TypeConfig>, CallError> {
        let mut offset = 0;
        loop {
            let file = snapshot.snapshot.0.clone();
            let reading = self.execution.run(move || read_piece(&file, offset, PIECE_BYTES));
            let read = reading.await.map_err(io::Error::other).flatten();
            let bytes = read.map_err(|error| self.refused(&error.to_string()))?;
            let length = bytes.len() as u64;
            let is_last = length < PIECE_BYTES;
            let piece = SnapshotPiece {
                vote,
                meta: snapshot.meta.clone(),
                offset,
                bytes,
                is_last,
            };
            match self.call(&PeerRequest::Snapshot(piece), PIECE_LIMIT).await? {
                PeerAnswer::Snapshot(response) => return Ok(response),
                PeerAnswer::PieceTaken if !is_last => offset += length,
                _ => return Err(self.unexpected()),
            }
        }
    }
}

/// The places in the log of what comes before the entries of a request, and of the last of them.
fn range(rpc: &AppendEntriesRequest<TypeConfig>) -> (Option<LogId>, Option<LogId>) {
    let last = rpc.entries.last().map(|entry| entry.log_id);
    (rpc.prev_log_id, last.or(rpc.prev_log_id))
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

    /// The library would give up after less than a heartbeat, and a member that is further away than that would never be
    /// told anything. Heartbeats themselves it bounds on its own.
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, CallError> {
        let limit = option.soft_ttl().max(APPEND_LIMIT);
        match self.call(&PeerRequest::Append(rpc), limit).await? {
            PeerAnswer::Append(response) => Ok(response),
            _ => Err(self.unexpected()),
        }
    }

    /// The first request goes alone: it finds out whether the logs meet. The others follow each other without waiting
    /// for answers, or an entry would wait for the round trip of the one before it. Where nothing is under way a sequence begins:
    /// the member may have been started again since, and would wait for the beginning of one that it has not seen.
    fn stream_append<'s, S>(
        &'s mut self,
        mut input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, Appended>, CallError>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        Box::pin(async move {
            let Some(first) = input.next().await else {
                return Ok(futures::stream::empty().boxed());
            };
            let (before, last) = range(&first);
            let response = self.append_entries(first, option).await?;
            let begun = Ok(response.into_stream_result(before, last));
            let link = &*self;
            let under_way = Arc::new(());
            let mut place = (0, 0);
            let next = move |rpc| {
                let (sequence, number) = &mut place;
                if Arc::strong_count(&under_way) == 1 {
                    (*sequence, *number) = (link.sequences.fetch_add(1, Ordering::Relaxed), 0);
                }
                let appending = link.append_next(*sequence, *number, rpc);
                *number += 1;
                let is_under_way = under_way.clone();
                async move {
                    let appended = appending.await;
                    drop(is_under_way);
                    appended
                }
            };
            let rest = input.map(next).buffered(APPENDS_IN_FLIGHT);
            let all = futures::stream::once(std::future::ready(begun)).chain(rest);
            // Nothing counts after the first that went wrong.
            let until_wrong = all.scan(true, |goes_on, appended: Appended| {
                let was_going_on = std::mem::replace(goes_on, matches!(appended, Ok(Ok(_))));
                std::future::ready(was_going_on.then_some(appended))
            });
            Ok(until_wrong.boxed())
        })
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
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let sending = pin!(self.send_snapshot(vote, snapshot));
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = sending => sent.map_err(StreamingError::from),
        }
    }
}

#[cfg(test)]
mod tests;
