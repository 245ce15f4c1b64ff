//! One peer, as the dialing side sees it: a connection that is made when it is needed, made anew when it breaks, and
//! dropped when nobody calls any more.

mod dialing;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::ports::Entropy;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::budget::Budget;
use super::endpoint::Endpoint;
use super::frame::Frame;
use super::limits::BODY_BYTES_MAX;
use super::session::{CallError, Session};
use crate::lock::lock;
use crate::network::transport::{Peer, TransportError};

use dialing::Dialing;

/// How things are with a peer.
enum State {
    /// Nobody has called for long.
    Unused,
    /// A connection is being made; calls wait for it.
    Connecting,
    /// Calls go over this.
    Connected(Arc<Session>),
    /// There is no connection, and why; the next attempt comes by itself.
    Down(String),
}

impl State {
    /// Whether a call need not wait for the state to change.
    fn is_settled(&self) -> bool {
        match self {
            State::Unused | State::Connecting => false,
            State::Connected(session) => !session.has_ended(),
            State::Down(_) => true,
        }
    }
}

/// What callers and the dialing task share.
struct Shared {
    state: watch::Sender<State>,
    is_wanted: Notify,
    called_at: Mutex<Instant>,
}

impl Shared {
    fn called_at(&self) -> Instant {
        *lock(&self.called_at)
    }
}

/// The way to one peer at one address. Dropping it closes its connections.
pub(super) struct Outbound {
    peer: Peer,
    shared: Arc<Shared>,
    budget: Budget,
    task: JoinHandle<()>,
}

impl Outbound {
    pub(super) fn new(peer: Peer, endpoint: Endpoint, entropy: Arc<dyn Entropy>) -> Self {
        let budget = Budget::new(endpoint.limits.calls_max, endpoint.limits.call_bytes_max);
        let shared = Arc::new(Shared {
            state: watch::Sender::new(State::Unused),
            is_wanted: Notify::new(),
            called_at: Mutex::new(Instant::now()),
        });
        let dialing = Dialing::new(peer.clone(), endpoint, entropy, shared.clone());
        Self {
            peer,
            shared,
            budget,
            task: tokio::spawn(dialing.run()),
        }
    }

    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Whether calls go over a connection now.
    pub(super) fn is_connected(&self) -> bool {
        matches!(&*self.shared.state.borrow(), State::Connected(session) if !session.has_ended())
    }

    /// Sends a request and returns its answer, before the deadline.
    pub(super) async fn call(&self, request: Vec<u8>, deadline: Instant) -> Result<Vec<u8>, TransportError> {
        if request.len() > Frame::payload_bytes_max(BODY_BYTES_MAX) {
            let length = request.len();
            return Err(self.unreachable(format!("a request of {length} bytes is too long to be sent")));
        }
        let _share = self
            .budget
            .take(request.len())
            .map_err(|reason| self.unreachable(reason))?;
        *lock(&self.shared.called_at) = Instant::now();
        let request = Bytes::from(request);
        loop {
            let session = self.session(deadline).await?;
            match session.call(request.clone(), deadline).await {
                Ok(answer) => return Ok(answer.into()),
                Err(CallError::NotSent) => (),
                Err(CallError::Refused(reason)) => return Err(self.unreachable(reason)),
                Err(CallError::Interrupted(reason)) => {
                    return Err(TransportError::Interrupted {
                        node_id: self.peer.node_id,
                        reason,
                    });
                }
            }
        }
    }

    /// The connection, as soon as there is one.
    async fn session(&self, deadline: Instant) -> Result<Arc<Session>, TransportError> {
        let mut states = self.shared.state.subscribe();
        if !states.borrow().is_settled() {
            self.shared.is_wanted.notify_one();
        }
        let settled = timeout_at(deadline, states.wait_for(State::is_settled)).await;
        match settled {
            Ok(Ok(state)) => match &*state {
                State::Connected(session) => Ok(session.clone()),
                State::Down(reason) => Err(self.unreachable(reason.clone())),
                State::Unused | State::Connecting => unreachable!("these states are not settled"),
            },
            Ok(Err(_)) => Err(self.unreachable("the transport has stopped".to_owned())),
            Err(_) => Err(self.unreachable("no connection was made before the deadline".to_owned())),
        }
    }

    fn unreachable(&self, reason: String) -> TransportError {
        TransportError::Unreachable {
            node_id: self.peer.node_id,
            reason,
        }
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.task.abort();
    }
}
