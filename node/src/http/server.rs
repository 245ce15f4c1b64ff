//! The accept loop: connections, their limits, and a drain with a bound.
//!
//! warp's own server has none of these, so warp runs as a service on hyper's connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::certificates::Certificates;
use super::connection::Connection;
use super::front::Front;
use super::places::Places;
use super::request_memory::RequestMemory;

/// How long to wait after the operating system refused a connection, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What one listener puts up with from connections.
#[derive(Clone)]
pub struct ServerLimits {
    /// How long a connection may take to send a request's head or finish the TLS handshake, stay idle, or leave unread
    /// what was sent to it.
    pub header_timeout: Duration,
    /// The most connections at once.
    pub connections_max: u32,
    /// The most connections at once from one address.
    pub connections_per_address_max: u32,
    /// Proxies that have as many connections as they need, since they stand for many clients.
    pub trusted_proxies: Vec<IpAddr>,
    /// What all requests may hold together; the listeners of one node share it.
    pub memory: RequestMemory,
    /// How long requests in flight may go on after a stop.
    pub drain_timeout: Duration,
}

/// A listener that serves a front.
pub struct Server {
    listener: TcpListener,
    front: Front,
    tls: Option<Arc<Certificates>>,
    limits: ServerLimits,
}

impl Server {
    /// Over a bound listener.
    pub fn new(listener: TcpListener, front: Front, tls: Option<Arc<Certificates>>, limits: ServerLimits) -> Self {
        Self {
            listener,
            front,
            tls,
            limits,
        }
    }

    /// Serves until `stop` turns true; then refuses new connections, closes idle ones, and gives requests in flight the
    /// drain time-out.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let limits = self.limits;
        let connections = Arc::new(Semaphore::new(limits.connections_max as usize));
        let places = Places::new(
            limits.connections_per_address_max,
            limits.trusted_proxies,
            limits.memory,
        );
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => break,
                accepted = accept(&self.listener, &connections) => accepted,
            };
            let Some((stream, peer, permit)) = accepted else {
                continue;
            };
            let Some(place) = places.take(peer) else {
                tracing::debug!(%peer, "a connection was closed: its address has all that server.connections_per_address_max grants");
                continue;
            };
            let connection = Connection {
                front: self.front.clone(),
                place: Arc::new(place),
                patience: limits.header_timeout,
                stop: stop.clone(),
            };
            let serving = connection.serve(stream, self.tls.clone());
            tokio::spawn(async move {
                serving.await;
                drop(permit);
            });
        }
        drop(self.listener);
        // Once every permit is back, every connection has ended.
        let ended = connections.acquire_many(limits.connections_max);
        if tokio::time::timeout(limits.drain_timeout, ended).await.is_err() {
            tracing::warn!("requests were still in flight when the drain time-out passed; they are cut off");
        }
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
