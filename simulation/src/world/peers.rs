//! The way from a node to the others: the port that real nodes put TCP behind.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cluster::{Peer, TcpLimits, Transport, TransportError};

use super::network::{Network, Place};
use super::reply::{Reset, question};

/// A node's way to the others.
pub struct PeerTransport {
    here: u64,
    network: Network,
}

impl PeerTransport {
    /// Of this node.
    pub fn new(here: u64, network: Network) -> Self {
        Self { here, network }
    }
}

#[async_trait]
impl Transport for PeerTransport {
    async fn call(&self, peer: &Peer, request: Vec<u8>, deadline: Duration) -> Result<Vec<u8>, TransportError> {
        let (node_id, here) = (peer.node_id, self.here);
        let (waiting, awaited) = question();
        let way = (Place::Node(here), Place::Node(node_id));
        let what = format!("{} of {} bytes", cluster::request_name(&request), request.len());
        let request = Bytes::from(request);
        let again = request.clone();
        // Nobody waits for the answer to a copy.
        self.network.send_with_copy(
            way,
            &what,
            move |world| world.take_call((here, node_id), request, waiting),
            move |world| world.take_call((here, node_id), again, question().0),
        );
        // A connection on which nothing is heard for so long is given up, and with it whoever waits for an answer on it.
        let patience = deadline.min(TcpLimits::default().silence_max);
        match tokio::time::timeout(patience, awaited.get()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Reset::Refused)) => Err(TransportError::Unreachable {
                node_id,
                reason: "nobody listens there".to_owned(),
            }),
            Ok(Err(Reset::Broken)) => Err(TransportError::Interrupted {
                node_id,
                reason: "the connection broke".to_owned(),
            }),
            Err(_elapsed) => Err(TransportError::Interrupted {
                node_id,
                reason: "the answer did not come in time".to_owned(),
            }),
        }
    }
}
