//! What can go wrong in a store, in terms that callers can act upon.

use crate::ids::OrganizationId;

/// A rule that a write would have broken. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another agent of the organization that is not decommissioned has this email.
    #[error("another agent of this organization has this email")]
    AgentEmail,
    /// Another organization has this slug.
    #[error("another organization has this slug")]
    OrganizationSlug,
    /// The row is no longer in the revision that the caller saw.
    #[error("the entity was changed by somebody else meanwhile")]
    RowVersion,
    /// The credential is revoked already.
    #[error("the credential is revoked already")]
    CredentialRevoked,
    /// The agent has as many active credentials as it may have.
    #[error("the agent has as many active credentials as it may have")]
    CredentialLimit,
    /// An audit record with this event id is in the log already.
    #[error("the audit record is in the log already")]
    AuditEvent,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The write would have broken a rule; nothing was written.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// Whoever makes the change is not active any more, or the organization or the credential is not; nothing was written.
    #[error("the author of the change, its organization or its credential is not active any more")]
    AuthorNotActive,
    /// The row that was to be changed is not there, or is another organization's.
    #[error("no such row in this organization")]
    NotFound,
    /// The store can't be reached or did not answer in time; whether a write was done is not known. Worth a retry.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// The store's content is not what this software wrote. Not worth a retry.
    #[error("the store's content is not readable: {0}")]
    Corrupt(String),
    /// An organization's audit chain goes on behind the end that the store recorded: somebody has put an event there past
    /// this software. Nothing of that organization can be recorded, and nothing was written. Not worth a retry.
    #[error(
        "the audit log of organization {0} goes on behind its recorded end, so somebody else has written into it; \
         GET /api/v1/audit/verify names the event, and until it is gone nothing of this organization is recorded"
    )]
    CorruptChain(OrganizationId),
    /// The store refused for a reason that is a bug in this software.
    #[error("the store refused: {0}")]
    Internal(String),
}

impl StoreError {
    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Unavailable(_))
    }
}
