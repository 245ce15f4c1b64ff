//! The leader, from wherever one asks: this node itself, or the member that it follows.

use std::time::Duration;

use openraft::ReadPolicy;
use openraft::async_runtime::WatchReceiver as _;
use openraft::errors::{ClientWriteError, RaftError};

use crate::admission::Admission;
use crate::command::{Batch, BatchResults};
use crate::members::{MemberChange, MemberChangeError};
use crate::network::{AskError, Peer, PeerAnswer, PeerRequest, Peers};
use crate::raft_types::Raft;

/// How long one attempt to reach the leader may take. A leader that has died without a word is given up as soon as
/// another is known, and after this at the latest.
const ATTEMPT: Duration = Duration::from_millis(1_500);

/// How long one attempt may take to change the members: a leader waits a moment for what may soon hold, and says why if it
/// does not.
const CHANGE_ATTEMPT: Duration = Duration::from_secs(6);

/// Why the leader did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaderError {
    /// Whoever was asked does not lead. It is worth asking again.
    #[error("the cluster has no leader that can be reached")]
    NotLeader,
    /// The leader is occupied with another change of the members. It is worth asking again.
    #[error("another change of the members is under way")]
    Busy,
    /// No answer came; whether it was done is not known. It is worth asking again, where a repetition does no harm.
    #[error("the leader did not answer: {0}")]
    Lost(AskError),
    /// The leader will not do it.
    #[error("{0}")]
    Refused(String),
    /// This node has stopped.
    #[error("{0}")]
    Stopped(String),
}

/// Who leads, as far as this node knows.
enum Leader {
    Here,
    There(Peer),
}

/// Asks the leader, wherever it is.
#[derive(Clone)]
pub(crate) struct LeaderLink {
    raft: Raft,
    peers: Peers,
    admission: Admission,
}

impl LeaderLink {
    pub(crate) fn new(raft: Raft, peers: Peers, admission: Admission) -> Self {
        Self { raft, peers, admission }
    }

    pub(crate) fn raft(&self) -> &Raft {
        &self.raft
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Whether this node leads, as far as it knows.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self.leader(), Ok(Leader::Here))
    }

    /// Proposes a batch and returns its results once it is applied there.
    pub(crate) async fn propose(&self, batch: &Batch) -> Result<BatchResults, LeaderError> {
        match self.leader()? {
            Leader::Here => propose_here(&self.raft, batch.clone()).await,
            Leader::There(peer) => match self.ask(&peer, PeerRequest::Propose(batch.clone()), ATTEMPT).await? {
                PeerAnswer::Proposed(results) => Ok(results),
                _ => Err(LeaderError::Lost(AskError::unexpected(&peer))),
            },
        }
    }

    /// How far the log is committed, confirmed by a quorum that the leader still leads.
    pub(crate) async fn read_index(&self) -> Result<u64, LeaderError> {
        match self.leader()? {
            Leader::Here => read_index_here(&self.raft).await,
            Leader::There(peer) => match self.ask(&peer, PeerRequest::ReadIndex, ATTEMPT).await? {
                PeerAnswer::ReadIndex(index) => Ok(index),
                _ => Err(LeaderError::Lost(AskError::unexpected(&peer))),
            },
        }
    }

    /// Changes who belongs to the cluster.
    pub(crate) async fn change_members(&self, change: MemberChange) -> Result<(), LeaderError> {
        match self.leader()? {
            Leader::Here => Ok(self.admission.change(change).await?),
            Leader::There(peer) => match self
                .ask(&peer, PeerRequest::ChangeMembers(change), CHANGE_ATTEMPT)
                .await
            {
                Ok(PeerAnswer::MembersChanged) => Ok(()),
                Ok(_) => Err(LeaderError::Lost(AskError::unexpected(&peer))),
                Err(LeaderError::Lost(AskError::Refused { reason, .. })) => Err(LeaderError::Refused(reason)),
                Err(error) => Err(error),
            },
        }
    }

    fn leader(&self) -> Result<Leader, LeaderError> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        if let Err(fatal) = &metrics.running_state {
            return Err(LeaderError::Stopped(fatal.to_string()));
        }
        let leader = metrics.current_leader.ok_or(LeaderError::NotLeader)?;
        if leader == metrics.id {
            return Ok(Leader::Here);
        }
        let member = metrics.membership_config.membership().get_node(&leader);
        let address = member.ok_or(LeaderError::NotLeader)?.address.clone();
        Ok(Leader::There(Peer {
            node_id: leader,
            address,
        }))
    }

    async fn ask(&self, peer: &Peer, request: PeerRequest, attempt: Duration) -> Result<PeerAnswer, LeaderError> {
        let answer = tokio::select! {
            biased;
            answer = self.peers.ask(peer, &request, attempt) => answer,
            () = self.replaced(peer.node_id) => Err(AskError::replaced(peer)),
        };
        match answer {
            Ok(PeerAnswer::NotLeader) => Err(LeaderError::NotLeader),
            Ok(PeerAnswer::Busy) => Err(LeaderError::Busy),
            Ok(answer) => Ok(answer),
            Err(error) => Err(LeaderError::Lost(error)),
        }
    }

    /// Waits until another leads. That nobody does for a moment says nothing: the answer may be on its way.
    async fn replaced(&self, leader: u64) {
        let mut metrics = self.raft.server_metrics();
        loop {
            let now = metrics.borrow_watched().current_leader;
            if now.is_some_and(|now| now != leader) || metrics.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Proposes a batch on this node, if it leads.
pub(crate) async fn propose_here(raft: &Raft, batch: Batch) -> Result<BatchResults, LeaderError> {
    match raft.client_write(batch).await {
        Ok(written) => Ok(written.data),
        // A discarded entry may still come through another leader; the batch's id keeps it from being applied twice.
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_) | ClientWriteError::LogEntryDiscarded(_))) => {
            Err(LeaderError::NotLeader)
        }
        Err(RaftError::APIError(error)) => Err(LeaderError::Refused(error.to_string())),
        Err(RaftError::Fatal(fatal)) => Err(LeaderError::Stopped(fatal.to_string())),
    }
}

/// The read index of this node, if a quorum confirms that it leads.
pub(crate) async fn read_index_here(raft: &Raft) -> Result<u64, LeaderError> {
    match raft.get_read_log_id(ReadPolicy::ReadIndex).await {
        Ok((read_at, _)) => Ok(read_at.index()),
        Err(RaftError::APIError(_)) => Err(LeaderError::NotLeader),
        Err(RaftError::Fatal(fatal)) => Err(LeaderError::Stopped(fatal.to_string())),
    }
}

impl From<MemberChangeError> for LeaderError {
    fn from(error: MemberChangeError) -> Self {
        match error {
            MemberChangeError::NotLeader => LeaderError::NotLeader,
            MemberChangeError::Busy => LeaderError::Busy,
            MemberChangeError::Refused(reason) => LeaderError::Refused(reason),
            MemberChangeError::Stopped(reason) => LeaderError::Stopped(reason),
        }
    }
}
