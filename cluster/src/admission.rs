//! Who may become a member, and when the format may be raised: two decisions of the leader that depend on each other.
//!
//! A node must know the format that is in force when it is added, and every member must know a format before it is
//! raised. So both are decided one after the other, each after everything that former leaders have committed is applied;
//! then the log never holds what a member can't apply.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use crate::leader::LeaderError;
use crate::leader::read_index_here;
use crate::members::{self, MemberChange, MemberChangeError};
use crate::publish::Published;
use crate::raft_types::Raft;

/// How long a leader may take to apply what is committed.
const APPLY_DEADLINE: Duration = Duration::from_secs(5);

/// Decides, on the leader. Copies decide together.
#[derive(Clone)]
pub(crate) struct Admission {
    raft: Raft,
    published: Arc<Published>,
    deciding: Arc<Mutex<()>>,
}

impl Admission {
    pub(crate) fn new(raft: Raft, published: Arc<Published>) -> Self {
        Self {
            raft,
            published,
            deciding: Arc::default(),
        }
    }

    /// Changes the members, here on the leader. Returns when the change is committed.
    pub(crate) async fn change(&self, change: MemberChange) -> Result<(), MemberChangeError> {
        let Some((node_id, known)) = change.adds() else {
            return members::change(&self.raft, change).await;
        };
        let _deciding = self.decide().await?;
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
        drop(state);
        members::change(&self.raft, change).await
    }

    /// Keeps others from deciding meanwhile; whatever was committed before is applied.
    pub(crate) async fn decide(&self) -> Result<MutexGuard<'_, ()>, MemberChangeError> {
        let deciding = self.deciding.lock().await;
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
