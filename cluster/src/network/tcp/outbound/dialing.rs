//! The task that keeps one peer connected.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Entropy;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::super::backoff::Backoff;
use super::super::endpoint::Endpoint;
use super::super::greeting::{Established, Stranger};
use super::super::session::{Left, Session};
use super::super::socket;
use super::{Shared, State};
use crate::network::transport::Peer;

/// A connection that lasted this long was a good one: the next is made at once when it ends.
const GOOD_AFTER: Duration = Duration::from_secs(1);

/// Makes connections to one peer, one after the other.
pub(super) struct Dialing {
    peer: Peer,
    endpoint: Endpoint,
    shared: Arc<Shared>,
    backoff: Backoff,
    /// The current connection, and former ones that run dry.
    sessions: JoinSet<()>,
    /// The failure that was told last.
    told: Option<String>,
}

/// How a connection ended, or was not needed any more.
enum Ended {
    Left(Left),
    Unused,
}

impl Dialing {
    pub(super) fn new(peer: Peer, endpoint: Endpoint, entropy: Arc<dyn Entropy>, shared: Arc<Shared>) -> Self {
        let limits = &endpoint.limits;
        Self {
            backoff: Backoff::new(limits.backoff_min, limits.backoff_max, entropy),
            peer,
            endpoint,
            shared,
            sessions: JoinSet::new(),
            told: None,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            self.shared.is_wanted.notified().await;
            self.stay_connected().await;
            self.set(State::Unused);
        }
    }

    /// Connects, and again and again until nobody calls any more. Whoever called first learns at least what came of the
    /// first attempt.
    async fn stay_connected(&mut self) {
        loop {
            self.set(State::Connecting);
            let wait = match self.connect().await {
                Ok(established) => match self.serve(established).await {
                    Some(wait) => wait,
                    None => return,
                },
                Err(reason) => {
                    self.tell(&reason);
                    Some((self.backoff.next(), reason))
                }
            };
            if let Some((pause, reason)) = wait {
                self.set(State::Down(reason));
                // Whoever is there again dials others itself, and is not to be missed until the wait is over.
                tokio::select! {
                    () = sleep(pause) => (),
                    () = self.endpoint.local.hears() => (),
                }
            }
            if self.unused_at() <= Instant::now() {
                return;
            }
        }
    }

    async fn connect(&self) -> Result<Established, String> {
        let limit = self.endpoint.limits.handshake_timeout;
        self.endpoint.local.speaks().await;
        let connecting = async {
            let security = &self.endpoint.security;
            let stream = socket::connect(&self.peer.address, security).await?;
            let secured = security.dial(stream, self.peer.node_id).await?;
            let local = &self.endpoint.local;
            Stranger::new(secured).dial(local, self.peer.node_id).await
        };
        timeout(limit, connecting)
            .await
            .unwrap_or_else(|_| Err(format!("no connection was made within {limit:?}")))
    }

    /// Uses a connection as long as it is good. `None` if it is not used any more; else whether, and for how long, to
    /// wait before the next.
    async fn serve(&mut self, established: Established) -> Option<Option<(Duration, String)>> {
        let (peer, begun_at) = (self.peer.node_id, Instant::now());
        let (address, version) = (&self.peer.address, established.version);
        tracing::info!(peer, %address, software = %established.peer.software, version, "connected to a node");
        self.told = None;
        let (session, driver, leaving) = Session::new(established, self.endpoint.limits.clone());
        self.sessions.spawn(driver.run());
        self.set(State::Connected(session.clone()));
        let reason = match self.until_left(leaving).await {
            Ended::Unused => {
                tracing::info!(peer, "the connection to a node is dropped: nobody calls it any more");
                self.set(State::Unused);
                session.retire();
                return None;
            }
            Ended::Left(Left::Retired) => "it ended the connection".to_owned(),
            Ended::Left(Left::Broken(reason)) => {
                tracing::warn!(peer, reason, "the connection to a node broke");
                reason
            }
        };
        let pause = self.backoff.after_connection(begun_at.elapsed() >= GOOD_AFTER);
        Some(pause.map(|pause| (pause, reason)))
    }

    async fn until_left(&mut self, mut leaving: oneshot::Receiver<Left>) -> Ended {
        loop {
            let unused_at = self.unused_at();
            tokio::select! {
                left = &mut leaving => {
                    return Ended::Left(left.unwrap_or_else(|_| Left::Broken("its task ended".to_owned())));
                }
                Some(_) = self.sessions.join_next() => (),
                () = sleep_until(unused_at) => {
                    if self.unused_at() <= Instant::now() {
                        return Ended::Unused;
                    }
                }
            }
        }
    }

    fn unused_at(&self) -> Instant {
        self.shared.called_at() + self.endpoint.limits.unused_max
    }

    fn set(&self, state: State) {
        self.shared.state.send_replace(state);
    }

    fn tell(&mut self, reason: &str) {
        if self.told.as_deref() != Some(reason) {
            let (peer, address) = (self.peer.node_id, &self.peer.address);
            tracing::warn!(peer, %address, reason, "cannot connect to a node; this will be tried again");
            self.told = Some(reason.to_owned());
        }
    }
}
