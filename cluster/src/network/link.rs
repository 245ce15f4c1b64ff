//! The consensus library's calls to one peer, over the transport.

use std::future::Future;
use std::sync::Arc;

use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use openraft::{OptionalSend, RaftNetworkFactory, RaftNetworkV2};

use super::transport::{Peer, Transport};
use crate::raft_types::{Member, Snapshot, TypeConfig, Vote};
use crate::state_machine::SnapshotFile;

/// Makes the links to the other members.
pub(crate) struct Links(pub(crate) Arc<dyn Transport>);

impl RaftNetworkFactory<TypeConfig> for Links {
    type Network = Link;

    async fn new_client(&mut self, target: u64, member: &Member) -> Link {
        Link {
            peer: Peer {
                node_id: target,
                address: member.address.clone(),
            },
            transport: self.0.clone(),
        }
    }
}

/// The link to one member.
pub(crate) struct Link {
    peer: Peer,
    transport: Arc<dyn Transport>,
}

impl Link {
    fn unreachable(&self) -> Unreachable<TypeConfig> {
        let _ = &self.transport;
        let reason = format!(
            "node {} at {}: this version forms clusters of one",
            self.peer.node_id, self.peer.address
        );
        Unreachable::new(&std::io::Error::other(reason))
    }
}

impl RaftNetworkV2<TypeConfig> for Link {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        _rpc: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        Err(self.unreachable().into())
    }

    async fn vote(
        &mut self,
        _rpc: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        Err(self.unreachable().into())
    }

    async fn full_snapshot(
        &mut self,
        _vote: Vote,
        _snapshot: Snapshot,
        _cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        Err(self.unreachable().into())
    }
}
