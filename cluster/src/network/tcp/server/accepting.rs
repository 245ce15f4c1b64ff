//! The task that accepts connections and owns them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::super::endpoint::Endpoint;
use super::super::greeting::{Established, Stranger};
use super::super::inbound::Inbound;
use super::super::refusals::Refusals;
use super::super::stopping::Stopping;
use super::super::{hello::Hello, socket};
use super::Answering;
use super::doorstep::{Doorstep, Waiting};

/// How long to wait after the operating system refused a connection, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Who is told of when there are too many connections.
const EVERYBODY: &str = "all";

/// Accepts connections until it is told to stop.
pub(super) struct Accepting {
    doorkeeper: Arc<Doorkeeper>,
    stopping: Stopping,
    connections: JoinSet<()>,
}

impl Accepting {
    pub(super) fn new(endpoint: Endpoint, answering: Arc<dyn Answering>, stopping: Stopping) -> Self {
        let doorkeeper = Doorkeeper {
            doorstep: Doorstep::new(endpoint.limits.handshakes_max),
            places: Arc::new(Semaphore::new(endpoint.limits.connections_max)),
            refusals: Refusals::default(),
            endpoint,
            answering,
        };
        Self {
            doorkeeper: Arc::new(doorkeeper),
            stopping,
            connections: JoinSet::new(),
        }
    }

    pub(super) async fn run(mut self, listener: TcpListener) {
        loop {
            tokio::select! {
                () = self.stopping.wait() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, remote)) => self.take(stream, remote),
                    Err(error) => {
                        self.doorkeeper.tell(EVERYBODY, &format!("cannot accept: {error}"));
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = self.connections.join_next() => report(ended),
            }
        }
        drop(listener);
        while let Some(ended) = self.connections.join_next().await {
            report(ended);
        }
    }

    fn take(&mut self, stream: TcpStream, remote: SocketAddr) {
        let waiting = self.doorkeeper.doorstep.come(remote.ip());
        let connection = self
            .doorkeeper
            .clone()
            .admit(stream, remote, waiting, self.stopping.clone());
        self.connections.spawn(connection);
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the task of a connection of another node failed");
    }
}

/// Decides who comes in.
struct Doorkeeper {
    endpoint: Endpoint,
    answering: Arc<dyn Answering>,
    doorstep: Arc<Doorstep>,
    places: Arc<Semaphore>,
    refusals: Refusals,
}

impl Doorkeeper {
    /// Makes sure who is there, and serves the connection until it ends.
    async fn admit(
        self: Arc<Self>,
        stream: TcpStream,
        remote: SocketAddr,
        mut waiting: Waiting,
        mut stopping: Stopping,
    ) {
        socket::set_up(&stream);
        let remote = remote.ip().to_canonical().to_string();
        let limit = self.endpoint.limits.handshake_timeout;
        let mut claimed = None;
        let greeted = tokio::select! {
            greeted = timeout(limit, self.greet(stream, &mut claimed)) => {
                greeted.unwrap_or_else(|_| Err(format!("it did not say hello within {limit:?}")))
            }
            () = waiting.sent_away() => {
                let max = self.endpoint.limits.handshakes_max;
                self.tell(EVERYBODY, &format!("{max} connections have not said hello yet; the oldest of whoever has most is closed"));
                return;
            }
            () = stopping.wait() => return,
        };
        drop(waiting);
        let from = claimed.map_or_else(|| remote.clone(), |node_id| format!("{remote}, as node {node_id}"));
        match greeted {
            Ok((established, _place)) => {
                self.refusals.forget(&remote);
                self.refusals.forget(&from);
                self.endpoint.local.has_heard();
                self.serve(established, stopping).await;
            }
            Err(reason) => self.tell(&from, &reason),
        }
    }

    async fn greet(
        &self,
        stream: TcpStream,
        claimed: &mut Option<u64>,
    ) -> Result<(Established, OwnedSemaphorePermit), String> {
        let security = &self.endpoint.security;
        let secured = security.accept(stream).await?;
        let certificate = secured.certificate.clone();
        let mut place = None;
        let check = |peer: &Hello| {
            *claimed = Some(peer.node_id);
            security.check_claim(certificate.as_ref(), peer.node_id)?;
            place = Some(self.place()?);
            Ok(())
        };
        let local = &self.endpoint.local;
        let established = Stranger::new(secured).answer(local, check).await?;
        let place = place.expect("nobody is greeted who was not given a place");
        Ok((established, place))
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, String> {
        self.places.clone().try_acquire_owned().map_err(|_| {
            let max = self.endpoint.limits.connections_max;
            format!("{max} nodes are connected already")
        })
    }

    async fn serve(&self, established: Established, stopping: Stopping) {
        let (peer, version) = (established.peer.node_id, established.version);
        tracing::info!(peer, software = %established.peer.software, version, "a node has connected");
        let inbound = Inbound::new(self.answering.clone(), &self.endpoint.limits);
        let reason = inbound.run(established, stopping).await;
        tracing::info!(peer, reason, "the connection of a node has ended");
    }

    fn tell(&self, from: &str, reason: &str) {
        if self.refusals.is_news(from, reason, Instant::now()) {
            tracing::warn!(from, reason, "a connection of another node was refused");
        }
    }
}
