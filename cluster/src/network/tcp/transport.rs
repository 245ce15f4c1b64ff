//! The dialing side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::Entropy;
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::outbound::Outbound;
use crate::lock::lock;
use crate::network::transport::{Peer, Transport, TransportError};

/// Calls other nodes over TCP. Connections are made when they are needed, in tasks of the runtime that the first call
/// runs in, and closed when this is dropped.
pub struct TcpTransport {
    endpoint: Endpoint,
    entropy: Arc<dyn Entropy>,
    peers: Mutex<BTreeMap<u64, Arc<Outbound>>>,
}

impl TcpTransport {
    /// Connects to nobody yet. `entropy` spreads attempts to connect.
    pub fn new(endpoint: Endpoint, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            endpoint,
            entropy,
            peers: Mutex::default(),
        }
    }

    /// The way to a peer; another one if its address has changed. Calls on the way to the former address end there.
    fn outbound(&self, peer: &Peer) -> Arc<Outbound> {
        let mut peers = lock(&self.peers);
        if let Some(known) = peers.get(&peer.node_id)
            && known.peer() == peer
        {
            return known.clone();
        }
        let outbound = Outbound::new(peer.clone(), self.endpoint.clone(), self.entropy.clone());
        let outbound = Arc::new(outbound);
        peers.insert(peer.node_id, outbound.clone());
        outbound
    }
}

#[async_trait]
impl Transport for TcpTransport {
    async fn call(&self, peer: &Peer, request: Vec<u8>, deadline: Duration) -> Result<Vec<u8>, TransportError> {
        let deadline = Instant::now() + deadline;
        self.outbound(peer).call(request, deadline).await
    }

    fn connections(&self) -> usize {
        let peers = lock(&self.peers);
        peers.values().filter(|outbound| outbound.is_connected()).count()
    }
}
