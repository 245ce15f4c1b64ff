//! What the rest of the system knows of the cluster: reads without waiting, writes that are done when they answer.

mod keys;

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Entropy, Replication, ReplicationError, RevocationView};
use domain::{AgentId, OrganizationId, ReplicatedChange, Revision, TokenFacts};
use openraft::ServerState;
use openraft::async_runtime::WatchReceiver as _;

use crate::batching::{COMMANDS_PER_CALL_MAX, Proposer};
use crate::command::{Command, CommandResult};
use crate::error::ClusterError;
use crate::freshness::Freshness;
use crate::meters::ClusterMeters;
use crate::network::Receiving;
use crate::publish::Published;
use crate::raft_types::Raft;
use crate::sealing::MasterKeys;
use crate::status::{ClusterStatus, Role};
use crate::ticking::SteadyClock;

/// What a handle is made of.
pub(crate) struct Parts {
    pub(crate) raft: Raft,
    pub(crate) published: Arc<Published>,
    pub(crate) proposer: Proposer,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) steady_clock: Arc<SteadyClock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) master_keys: MasterKeys,
    pub(crate) receiving: Receiving,
}

/// Reads and changes the replicated state through one node. Copies are cheap; they outlive the node, and then answer
/// with errors.
#[derive(Clone)]
pub struct ClusterHandle(Arc<Parts>);

impl ClusterHandle {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Lets every replica forget what has expired. The leader does so by itself; this is for those who cannot wait.
    pub async fn tick(&self) -> Result<Revision, ClusterError> {
        self.require_done(Command::Tick {
            now: self.0.steady_clock.now(),
        })
        .await
    }

    /// Asks for a snapshot now; it is written in the background.
    pub async fn snapshot(&self) -> Result<(), ClusterError> {
        self.0
            .raft
            .trigger()
            .snapshot()
            .await
            .map_err(|error| ClusterError::Stopped(error.to_string()))
    }

    /// Carries out what another member asks for: what came in through the transport, and the answer to send back.
    pub async fn answer_peer(&self, request: &[u8]) -> Vec<u8> {
        self.0.receiving.answer(request).await
    }

    /// Proves anew that the view is recent.
    pub(crate) async fn refresh(&self) -> Result<(), String> {
        self.0.freshness.refresh(&self.0.raft).await
    }

    /// The node's view of the cluster now.
    pub fn status(&self) -> ClusterStatus {
        let state = self.0.published.load();
        let metrics = self.0.raft.metrics();
        let metrics = metrics.borrow_watched();
        let failure = metrics.running_state.as_ref().err().map(ToString::to_string);
        ClusterStatus {
            node_id: metrics.id,
            role: if failure.is_some() {
                Role::Stopped
            } else {
                role(metrics.state)
            },
            term: metrics.current_term,
            leader: metrics.current_leader,
            last_log: metrics.last_log_index,
            committed: metrics.local_committed.map(|id| id.index),
            last_applied: metrics.last_applied.map(|id| id.index),
            snapshot: metrics.snapshot.map(|id| id.index),
            staleness: self.0.freshness.staleness(),
            fresh: self.0.freshness.is_fresh(),
            revision: state.revision(),
            revocations: state.revocation_count(),
            bootstrapped: state.identity().is_some(),
            failure,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a float; terms and indexes stay far below 2^53"
    )]
    pub(crate) fn measure(&self, meters: &ClusterMeters) {
        let status = self.status();
        meters.term.set(status.term as f64);
        meters
            .is_leader
            .set(if status.role == Role::Leader { 1.0 } else { 0.0 });
        meters.last_applied_index.set(status.last_applied.unwrap_or(0) as f64);
        meters.revocation_set_size.set(status.revocations as f64);
        let staleness = status.staleness;
        meters
            .revocation_staleness_seconds
            .set(if staleness == std::time::Duration::MAX {
                f64::INFINITY
            } else {
                staleness.as_secs_f64()
            });
    }

    async fn propose_one(&self, command: Command) -> Result<CommandResult, ClusterError> {
        let results = self.0.proposer.propose(vec![command]).await?;
        Ok(*results.first().expect("there is a result for each command"))
    }

    async fn require_done(&self, command: Command) -> Result<Revision, ClusterError> {
        let result = self.propose_one(command).await?;
        result.refusal.map_or(Ok(result.revision), |refusal| {
            Err(ClusterError::Refused(refusal.to_string()))
        })
    }
}

#[async_trait]
impl Replication for ClusterHandle {
    async fn apply(&self, changes: Vec<ReplicatedChange>) -> Result<Revision, ReplicationError> {
        let mut revision = self.0.published.load().revision();
        for part in changes.chunks(COMMANDS_PER_CALL_MAX) {
            let commands = part.iter().copied().map(Command::from).collect();
            for result in self.0.proposer.propose(commands).await? {
                result
                    .refusal
                    .map_or(Ok(()), |refusal| Err(ReplicationError::from(refusal)))?;
                revision = result.revision;
            }
        }
        Ok(revision)
    }
}

impl RevocationView for ClusterHandle {
    fn revision(&self) -> Result<Revision, ReplicationError> {
        self.0.freshness.require()?;
        Ok(self.0.published.load().revision())
    }

    fn is_revoked(&self, token: &TokenFacts) -> Result<bool, ReplicationError> {
        self.0.freshness.require()?;
        Ok(self.0.published.load().is_revoked(token))
    }

    fn is_outdated(&self, organization: OrganizationId, agent: AgentId, read_at: Revision) -> bool {
        self.0.published.load().is_outdated(organization, agent, read_at)
    }
}

fn role(state: ServerState) -> Role {
    match state {
        ServerState::Leader => Role::Leader,
        ServerState::Follower => Role::Follower,
        ServerState::Candidate => Role::Candidate,
        ServerState::Learner => Role::Learner,
        ServerState::Shutdown => Role::Stopped,
    }
}
