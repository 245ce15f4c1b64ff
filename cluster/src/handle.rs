//! What the rest of the system knows of the cluster: reads without waiting, writes that are done when they answer.

mod exporting;
mod keys;
mod members;
mod resealing;
mod schedule;

pub use exporting::SnapshotPiece;
pub use members::Joining;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::batching::{COMMANDS_PER_CALL_MAX, Proposer};
use crate::command::{Command, CommandResult};
use crate::drain::Drain;
use crate::error::ClusterError;
use crate::freshness::Freshness;
use crate::greeted::Greeted;
use crate::leader::LeaderLink;
use crate::measuring::Measuring;
use crate::network::Receiving;
use crate::publish::Published;
use crate::sealing::MasterKeys;
use crate::state_machine::Snapshots;
use crate::status::{ClusterStatus, StatusWatch};
use crate::ticking::SteadyClock;
use async_trait::async_trait;
use domain::ports::{Entropy, Replication, ReplicationError, RevocationView};
use domain::{AgentId, Applied, OrganizationId, ReplicatedChange, Revision, TokenFacts};
use openraft::async_runtime::WatchReceiver as _;

/// What a handle is made of.
pub(crate) struct Parts {
    pub(crate) leader: LeaderLink,
    pub(crate) published: Arc<Published>,
    pub(crate) proposer: Proposer,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) watch: StatusWatch,
    pub(crate) measuring: Measuring,
    pub(crate) steady_clock: Arc<SteadyClock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) master_keys: MasterKeys,
    pub(crate) receiving: Receiving,
    pub(crate) drain: Arc<Drain>,
    pub(crate) greeted: Arc<Greeted>,
    pub(crate) snapshots: Arc<Snapshots>,
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
            .leader
            .raft()
            .trigger()
            .snapshot()
            .await
            .map_err(|error| ClusterError::Stopped(error.to_string()))
    }

    /// Waits until the consensus has failed for good, as it does when its log can't be written, and answers why. A node
    /// goes on answering 503 from then on, and nothing but a new start helps.
    pub async fn failed(&self) -> ClusterError {
        // These metrics do not move with every entry, and end with the consensus.
        let mut metrics = self.0.leader.raft().server_metrics();
        while metrics.changed().await.is_ok() {}
        let failure = self.status().failure;
        ClusterError::Stopped(failure.unwrap_or_else(|| "the consensus has ended".to_owned()))
    }

    /// Carries out what another member asks for: what came in through the transport, and the answer to send back.
    pub async fn answer_peer(&self, request: &[u8]) -> Vec<u8> {
        self.0.receiving.answer(request).await
    }

    /// Proves anew that the view is recent.
    pub(crate) async fn refresh(&self) -> Result<(), String> {
        self.0.freshness.refresh(&self.0.leader, &self.0.published).await
    }

    /// What the node says of itself when it greets others.
    pub(crate) fn greeted(&self) -> Arc<Greeted> {
        self.0.greeted.clone()
    }

    /// The node's view of the cluster now.
    pub fn status(&self) -> ClusterStatus {
        self.0.watch.status()
    }

    /// Brings the node's view of the cluster to its meters. They show what they showed at the last call.
    pub fn measure(&self) {
        self.0.measuring.measure();
    }

    pub(crate) async fn propose_one(&self, command: Command) -> Result<CommandResult, ClusterError> {
        let done = self.0.proposer.propose(vec![command]).await?;
        Ok(*done.results.first().expect("there is a result for each command"))
    }

    async fn require_done(&self, command: Command) -> Result<Revision, ClusterError> {
        let result = self.propose_one(command).await?;
        result.refusal.map_or(Ok(result.revision), |refusal| {
            Err(ClusterError::Refused(refusal.to_string()))
        })
    }
}

#[cfg(test)]
impl ClusterHandle {
    /// How far away the leader and its quorum seem to be.
    pub(crate) fn distance(&self) -> Option<std::time::Duration> {
        self.0.freshness.distance().shortest()
    }
}

#[async_trait]
impl Replication for ClusterHandle {
    async fn apply(&self, changes: Vec<ReplicatedChange>) -> Result<Applied, ReplicationError> {
        let mut revision = self.0.published.load().revision();
        let mut unconfirmed = BTreeSet::new();
        for part in changes.chunks(COMMANDS_PER_CALL_MAX) {
            let commands = part.iter().copied().map(Command::from).collect();
            let done = self.0.proposer.propose(commands).await?;
            for result in done.results {
                result
                    .refusal
                    .map_or(Ok(()), |refusal| Err(ReplicationError::from(refusal)))?;
                revision = result.revision;
            }
            unconfirmed.extend(done.unconfirmed);
        }
        let unconfirmed = unconfirmed.into_iter().collect();
        Ok(Applied { revision, unconfirmed })
    }

    async fn catch_up(&self) -> Result<(), ReplicationError> {
        if self.is_alone() {
            // What it has not applied was not acknowledged to anybody.
            return self.0.freshness.require();
        }
        self.0.freshness.next_proof().await
    }

    fn is_alone(&self) -> bool {
        self.members().len() == 1
    }
}

impl RevocationView for ClusterHandle {
    fn revision(&self) -> Result<Revision, ReplicationError> {
        self.0.freshness.require()?;
        Ok(self.0.published.load().revision())
    }

    fn is_revoked(&self, token: &TokenFacts) -> Result<bool, ReplicationError> {
        self.0.freshness.require()?;
        Ok(self.0.published.is_revoked(token))
    }

    fn is_outdated(&self, organization: OrganizationId, agent: AgentId, read_at: Revision) -> bool {
        self.0.published.load().is_outdated(organization, agent, read_at)
    }
}
