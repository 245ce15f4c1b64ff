//! The replicated state, as the rest of the system sees it: one trait to read it, one to change it.

use async_trait::async_trait;

use crate::ids::{AgentId, OrganizationId};
use crate::replicated::{Applied, ReplicatedChange, Revision, TokenFacts};

/// Why the replicated state did not take a change, or can't be relied upon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplicationError {
    /// Nothing was changed, or it is not known whether it was; a repetition is harmless and worth it.
    #[error("the cluster can't take the change now: {0}")]
    Unavailable(String),
    /// The node can't prove that its view of revocations is recent enough to vouch for anything.
    #[error("this node's view of revocations is too old to vouch for a token")]
    Stale,
    /// The node is shutting down or its log is broken; nothing more will be taken.
    #[error("the replicated log is closed: {0}")]
    Closed(String),
}

/// Reading: a few lock-free look-ups in an immutable snapshot; never waits.
pub trait RevocationView: Send + Sync {
    /// The revision that a token issued now must carry. Taken *before* the decision to issue, so that a revocation that
    /// is applied during the decision kills the token. [`ReplicationError::Stale`] if the node may not vouch.
    fn revision(&self) -> Result<Revision, ReplicationError>;

    /// Whether a token is dead. [`ReplicationError::Stale`] if the node may not vouch.
    fn is_revoked(&self, token: &TokenFacts) -> Result<bool, ReplicationError>;

    /// Whether what was read of an agent when the state was at `read_at` may have changed since.
    fn is_outdated(&self, organization: OrganizationId, agent: AgentId, read_at: Revision) -> bool;
}

/// Changing.
#[async_trait]
pub trait Replication: Send + Sync {
    /// Makes the changes known; when it returns they are durable, and in force on every node that could be reached within
    /// a bound. Applying a change twice is the same as once, but for what was issued in between to whom it kills.
    async fn apply(&self, changes: Vec<ReplicatedChange>) -> Result<Applied, ReplicationError>;

    /// Waits until this node has all that was committed before it was called: until the next proof that its view is recent.
    /// [`ReplicationError::Stale`] if none comes within a second.
    async fn catch_up(&self) -> Result<(), ReplicationError>;

    /// Whether this node is all of its cluster, so that nobody else can have a change under way.
    fn is_alone(&self) -> bool;
}
