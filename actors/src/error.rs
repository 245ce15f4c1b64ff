//! Why a call of an actor did not do what it was asked.

use std::sync::Arc;
use std::time::Duration;

use domain::ScopeSet;
use domain::ports::{Conflict, ReplicationError, StoreError};
use protocol::oauth::OAuthError;

use crate::supervision::NoAnswer;

/// The actors could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ActorError {
    /// The supervisor did not start.
    #[error("the supervisor of the actors did not start: {0}")]
    DidNotStart(String),
}

/// Why an audit record is not known to be durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuditError {
    /// The record may or may not be in the log; whatever it speaks of must not be answered.
    #[error("the audit log does not take records now; try again")]
    Unavailable {
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// The store will not take this record, however often it is tried; the other records of its batch are not affected.
    #[error("the audit log refused a record: {0}")]
    Refused(Arc<StoreError>),
}

/// Why a client does not get what it asks for.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// It may not have it, or did not prove who it is.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// This node can't vouch for anybody now.
    #[error(transparent)]
    Replication(#[from] ReplicationError),
    /// The client could not be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The part of the node that decides does not answer.
    #[error("the client's organization can't be asked now; try again")]
    Unavailable {
        /// How long to wait before trying again.
        retry_after: Duration,
    },
}

/// What an agent may not do, whatever its token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The credential is another agent's.
    #[error("an agent manages only its own credentials; for another's, use a token that holds admin:orgs")]
    NotItsOwn,
    /// The credential allows more than the caller's.
    #[error(
        "the credential would allow more than the one that your token was issued from; name fewer scopes, or let an \
         administrator do it"
    )]
    WiderThanOwn,
    /// The credential works for longer than the caller's.
    #[error(
        "the credential would outlive the one that your token was issued from; name an earlier expiresAt, or let an \
         administrator do it"
    )]
    OutlivesOwn,
    /// The agent wants itself reactivated.
    #[error("an agent does not reactivate itself; let another agent do it")]
    OwnReturn,
}

/// Why an organization's data was not changed, or is not known to be changed everywhere.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The organization has no such agent.
    #[error("there is no such agent in this organization")]
    AgentNotFound,
    /// The email is taken.
    #[error("another agent of this organization has this email; choose another")]
    AgentAlreadyExists,
    /// The agent takes no further orders.
    #[error("the agent is decommissioned, which is final; register a new agent instead")]
    AgentAlreadyDecommissioned,
    /// The agent gets no credentials.
    #[error("the agent is not active; reactivate it before you make credentials for it")]
    AgentNotActive,
    /// The agent has no such credential.
    #[error("this agent has no such credential")]
    CredentialNotFound,
    /// It was revoked before.
    #[error("the credential is revoked already; make a new one")]
    CredentialAlreadyRevoked,
    /// It expired before.
    #[error("the credential has expired and can't be brought back; make a new one")]
    CredentialExpired,
    /// The agent has as many as it may have.
    #[error(
        "an agent has at most {} active credentials; revoke those that have expired or that nobody uses any more",
        domain::Credential::ACTIVE_MAX
    )]
    CredentialLimitExceeded,
    /// The caller has seen an older revision.
    #[error("the entity was changed since you read it; read it again and repeat the change")]
    VersionMismatch,
    /// The caller may not do that.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The caller's token does not allow that.
    #[error("the token does not allow this; ask for one with the scopes {0}")]
    InsufficientScope(ScopeSet),
    /// The caller's token is dead, or what it was issued from: its credential, its agent or its organization.
    #[error("the token was revoked, or its agent or credential is not active any more; ask for a new one")]
    CallerNotActive,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The change is durable here but not yet known everywhere; it will be, but can't be answered as done.
    #[error(transparent)]
    Replication(#[from] ReplicationError),
    /// The part of the node that does this does not answer. Unless it was overloaded, the change may or may not be done.
    #[error("the organization's data can't be changed now; read it again before you repeat the change")]
    Unavailable {
        /// How long to wait before trying again.
        retry_after: Duration,
    },
}

impl From<StoreError> for TenantError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AuthorNotActive => Self::CallerNotActive,
            StoreError::Conflict(Conflict::CredentialLimit) => Self::CredentialLimitExceeded,
            other => Self::Store(other),
        }
    }
}

impl From<NoAnswer> for AuditError {
    fn from(reason: NoAnswer) -> Self {
        Self::Unavailable {
            retry_after: reason.retry_after(),
        }
    }
}

impl From<AuditError> for TenantError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unavailable { retry_after } => Self::Unavailable { retry_after },
            AuditError::Refused(error) => Self::Store(match *error {
                StoreError::CorruptChain(organization) => StoreError::CorruptChain(organization),
                _ => StoreError::Internal(error.to_string()),
            }),
        }
    }
}

impl From<NoAnswer> for AuthorizeError {
    fn from(reason: NoAnswer) -> Self {
        tracing::debug!(%reason, "a client could not be authorized");
        Self::Unavailable {
            retry_after: reason.retry_after(),
        }
    }
}

impl From<NoAnswer> for TenantError {
    fn from(reason: NoAnswer) -> Self {
        tracing::debug!(%reason, "an organization could not be changed");
        Self::Unavailable {
            retry_after: reason.retry_after(),
        }
    }
}
