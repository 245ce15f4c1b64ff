//! Who is a member, who votes, and when the format may be raised: decisions of the leader that depend on each other.
//!
//! A node must know the format that is in force when it is added, and every member must know a format before it is
//! raised. So both are decided one after the other, each after everything that former leaders have committed is applied;
//! then the log never holds what a member can't apply.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::leader::LeaderError;
use crate::leader::read_index_here;
use crate::members::{self, MemberChange, MemberChangeError};
use crate::network::Peers;
use crate::publish::Published;
use crate::raft_types::Raft;

/// How long a leader may take to apply what is committed.
const APPLY_DEADLINE: Duration = Duration::from_secs(5);
/// How long a decision waits for the one before it.
const TURN_WITHIN: Duration = Duration::from_secs(1);

/// Decides, on the leader. Copies decide together.
#[derive(Clone)]
pub(crate) struct Admission {
    raft: Raft,
    peers: Peers,
    published: Arc<Published>,
    deciding: Arc<Mutex<()>>,
}

impl Admission {
    pub(crate) fn new(raft: Raft, peers: Peers, published: Arc<Published>) -> Self {
        Self {
            raft,
            peers,
            published,
            deciding: Arc::default(),
        }
    }

    /// Changes the members, here on the leader, one change after the other: each depends on what the one before it has left.
    /// Returns when the change is committed; it is carried out to its end even if whoever asked for it does not wait.
    pub(crate) async fn change(&self, change: MemberChange) -> Result<(), MemberChangeError> {
        if matches!(change, MemberChange::TransferLeader(_)) {
            return members::change(&self.raft, &self.peers, change).await;
        }
        let own = self.clone();
        let changing = tokio::spawn(async move { own.change_in_turn(change).await });
        changing
            .await
            .map_err(|error| MemberChangeError::Stopped(error.to_string()))?
    }

    async fn change_in_turn(&self, change: MemberChange) -> Result<(), MemberChangeError> {
        let _deciding = self.decide().await?;
        if let Some((node_id, known)) = change.adds() {
            let state = self.published.load();
            let agreement = state.agreement();
            if known < agreement.format() {
                return Err(MemberChangeError::Refused(format!(
                    "node {node_id} knows formats of the replicated state up to {known}, the cluster is at {}; install \
                     agentidp {} there",
                    agreement.format(),
                    agreement.wanted_software()
                )));
            }
        }
        members::change(&self.raft, &self.peers, change).await
    }

    /// Keeps others from deciding meanwhile; whatever was committed before is applied. Nobody waits long for their turn, or
    /// changes would be made that nobody wants any more.
    pub(crate) async fn decide(&self) -> Result<MutexGuard<'_, ()>, MemberChangeError> {
        let turn = timeout(TURN_WITHIN, self.deciding.lock()).await;
        let deciding = turn.map_err(|_| MemberChangeError::Busy)?;
        let index = read_index_here(&self.raft).await.map_err(|error| match error {
            LeaderError::Stopped(reason) => MemberChangeError::Stopped(reason),
            _ => MemberChangeError::NotLeader,
        })?;
        let applying = self.raft.wait(Some(APPLY_DEADLINE));
        let applied = applying.applied_index_at_least(Some(index), "what is committed").await;
        applied.map_err(|_| MemberChangeError::Busy)?;
        Ok(deciding)
    }
}
