//! What every node must agree on at once: revocations, and which cached rows have become stale.
//!
//! **Time is logical here.** Every command that the replicated state applies counts its [`Revision`] up by one. A token
//! carries the revision that its issuer had seen; revoking a credential, an agent or an organization at revision *n*
//! kills every token that carries less than *n*. Wall clocks that disagree between nodes can therefore neither save a
//! token that must die nor kill one that was issued afterwards.

use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, CredentialId, OrganizationId, TokenFamily, TokenId};
use crate::time::Timestamp;

/// How many commands the replicated state has applied. The same number means the same state on every node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

/// Whose tokens die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// One token.
    Token(TokenId),
    /// A token and all that was exchanged or delegated from it.
    Family(TokenFamily),
    /// All that was issued from a credential so far.
    Credential(CredentialId),
    /// All that was issued to an agent so far.
    Agent(AgentId),
    /// All that was issued to an organization's agents so far.
    Organization(OrganizationId),
}

/// An order to kill tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Whose.
    pub subject: Subject,
    /// When the last token that it concerns will have expired by itself, so that the order can be forgotten.
    pub forget_at: Timestamp,
}

/// What a token says of itself that a revocation may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// `jti`.
    pub token: TokenId,
    /// `family`.
    pub family: TokenFamily,
    /// `credential_id`.
    pub credential: CredentialId,
    /// `sub`.
    pub agent: AgentId,
    /// `organization_id`.
    pub organization: OrganizationId,
    /// `rev`: what its issuer had seen when it decided to issue.
    pub issued_at: Revision,
}

/// A node of the cluster; unique in it and never given to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u64);

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Changes that are durable, and in force on every node that could be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The revision of the first state that has them.
    pub revision: Revision,
    /// Members that had not confirmed them in time. They learn of them when they can be reached again, and vouch for
    /// nothing once they can't prove that they have missed nothing.
    pub unconfirmed: Vec<NodeId>,
}

impl Applied {
    /// The members that had not confirmed, for people and for the audit log; empty if all had.
    pub fn unconfirmed_list(&self) -> String {
        let members: Vec<String> = self.unconfirmed.iter().map(NodeId::to_string).collect();
        members.join(" ")
    }
}

/// A change to the replicated state that follows from a write to the store. Applying one twice is the same as once, but
/// for tokens that were issued in between to whom it kills; so the outbox relay repeats what a crash may have interrupted,
/// and nothing that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicatedChange {
    /// Tokens die.
    Revoke(Revocation),
    /// What nodes have cached of an agent and its credentials is stale.
    AgentChanged(AgentId),
    /// What nodes have cached of an organization and all its agents is stale.
    OrganizationChanged(OrganizationId),
}
