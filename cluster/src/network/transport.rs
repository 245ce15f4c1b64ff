//! The port to the network.

use std::time::Duration;

use async_trait::async_trait;

/// Another member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its number.
    pub node_id: u64,
    /// Where it listens.
    pub address: String,
}

/// Why a call brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no connection, and trying again at once is no use.
    #[error("node {node_id} is not reachable: {reason}")]
    Unreachable {
        /// Who.
        node_id: u64,
        /// Why.
        reason: String,
    },
    /// The connection broke, or the answer did not come in time; whether the request was carried out is not known.
    #[error("node {node_id} did not answer: {reason}")]
    Interrupted {
        /// Who.
        node_id: u64,
        /// Why.
        reason: String,
    },
}

/// Carries requests to other members. Implementations keep connections, bound their queues and give up at the deadline.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and returns the answer. Requests to one peer may overtake each other.
    async fn call(&self, peer: &Peer, request: Vec<u8>, deadline: Duration) -> Result<Vec<u8>, TransportError>;

    /// To how many members there is a connection now, where there are connections.
    fn connections(&self) -> usize {
        0
    }
}

/// The transport of a cluster of one: there is nobody to call.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPeers;

#[async_trait]
impl Transport for NoPeers {
    async fn call(&self, peer: &Peer, _request: Vec<u8>, _deadline: Duration) -> Result<Vec<u8>, TransportError> {
        let reason = "this node was started as a cluster of one".to_owned();
        Err(TransportError::Unreachable {
            node_id: peer.node_id,
            reason,
        })
    }
}
