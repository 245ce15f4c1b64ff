//! The listening side.

mod accepting;
mod doorstep;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::endpoint::Endpoint;
use super::stopping::Stop;
use crate::error::ClusterError;
use crate::handle::ClusterHandle;

use accepting::Accepting;

/// Answers the requests of other nodes.
#[async_trait]
pub trait Answering: Send + Sync {
    /// Carries out a request and returns the answer. Many run at once; one whose connection breaks is dropped.
    async fn answer(&self, request: &[u8]) -> Vec<u8>;
}

#[async_trait]
impl Answering for ClusterHandle {
    async fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.answer_peer(request).await
    }
}

/// Takes connections of other nodes. Dropping it ends all of them at once.
pub struct PeerServer {
    address: SocketAddr,
    stop: Stop,
    task: JoinHandle<()>,
}

impl PeerServer {
    /// Serves the connections of a bound listener, in a task of the current runtime. Without TLS, a listener that
    /// other machines can reach is refused.
    pub fn serve(
        listener: TcpListener,
        endpoint: Endpoint,
        answering: Arc<dyn Answering>,
    ) -> Result<Self, ClusterError> {
        let address = listener
            .local_addr()
            .map_err(|error| ClusterError::io("the cluster's listener", error))?;
        endpoint.security.permit(address)?;
        let (stop, stopping) = Stop::new();
        let accepting = Accepting::new(endpoint, answering, stopping);
        Ok(Self {
            address,
            stop,
            task: tokio::spawn(accepting.run(listener)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, says goodbye on those that are there, and returns when their requests have been
    /// answered, or after `drain_max`.
    pub async fn stop(mut self) {
        self.stop.tell();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the listener for other nodes did not end as it should");
        }
    }
}

impl Drop for PeerServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
