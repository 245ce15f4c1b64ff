//! Questions to other members, as values.

use std::sync::Arc;
use std::time::Duration;

use super::message::{PeerAnswer, PeerRequest};
use super::transport::{Peer, Transport, TransportError};
use crate::codec;

/// Why a question brought no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// It did not get there, or the answer did not come back.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The member could not do what it was asked, or says something that is no answer.
    #[error("node {node_id}: {reason}")]
    Refused { node_id: u64, reason: String },
}

/// Asks other members.
#[derive(Clone)]
pub(crate) struct Peers(Arc<dyn Transport>);

impl Peers {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// Asks one member and waits for its answer, for `deadline` at most.
    pub(crate) async fn ask(
        &self,
        peer: &Peer,
        request: &PeerRequest,
        deadline: Duration,
    ) -> Result<PeerAnswer, AskError> {
        let refused = |reason: String| AskError::Refused {
            node_id: peer.node_id,
            reason,
        };
        let answer = self
            .0
            .call(peer, codec::encode_as(request.format(), request), deadline)
            .await?;
        match codec::decode(&answer) {
            Ok(PeerAnswer::Failed(reason)) => Err(refused(reason)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(refused(error.to_string())),
        }
    }
}

impl AskError {
    /// There is no use in waiting for the answer of somebody who does not lead any more.
    pub(crate) fn replaced(peer: &Peer) -> Self {
        AskError::Refused {
            node_id: peer.node_id,
            reason: "it did not answer before another led".to_owned(),
        }
    }

    /// An answer that does not belong to the question.
    pub(crate) fn unexpected(peer: &Peer) -> Self {
        AskError::Refused {
            node_id: peer.node_id,
            reason: "its answer does not belong to the request".to_owned(),
        }
    }
}
