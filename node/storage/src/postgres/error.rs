//! What PostgreSQL says, in the domain's terms. Statements, values and details, which may hold somebody's data, are left
//! out of messages.

use domain::ports::{Conflict, StoreError};
use tokio_postgres::error::{DbError, SqlState};

/// Why an attempt did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// Nothing was done, and doing the same again may well succeed: another transaction was in the way.
    Again(StoreError),
    /// The line broke. If no commit had been sent, nothing was done, and another connection may do it.
    Lost(StoreError),
    /// The place behind the head of a chain is taken; whose chain it is, is still to be found out.
    Chain(StoreError),
    /// What the caller is told.
    Final(StoreError),
}

impl Failure {
    /// What the caller is told when there is no further attempt.
    pub fn into_store_error(self) -> StoreError {
        match self {
            Failure::Again(error) | Failure::Lost(error) | Failure::Chain(error) | Failure::Final(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::Final(error)
    }
}

impl From<Conflict> for Failure {
    fn from(conflict: Conflict) -> Self {
        Failure::Final(conflict.into())
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let conflicting = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        let again = error.code().is_some_and(|code| conflicting.contains(code));
        let constraint = error.as_db_error().and_then(DbError::constraint);
        let chain = error.code() == Some(&SqlState::UNIQUE_VIOLATION) && constraint == Some("audit_events_pkey");
        let error = store_error(&error);
        if again {
            Failure::Again(error)
        } else if chain {
            Failure::Chain(error)
        } else {
            Failure::Final(error)
        }
    }
}

/// Turns an error of the driver into one that callers can act upon.
pub fn store_error(error: &tokio_postgres::Error) -> StoreError {
    if let Some(refusal) = error.as_db_error() {
        return refused(refusal);
    }
    let cause = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    let text = format!("{error}{cause}");
    // What the driver itself finds wrong with a value or a row is a bug; everything else is the line to the server.
    if text.starts_with("error serializing")
        || text.starts_with("error deserializing")
        || text.contains("invalid column")
    {
        StoreError::Internal(text)
    } else {
        StoreError::Unavailable(text)
    }
}

fn refused(refusal: &DbError) -> StoreError {
    let code = refusal.code();
    let text = format!("{} ({})", refusal.message(), code.code());
    match code.code() {
        "23505" => duplicate(refusal),
        "23503" => StoreError::NotFound,
        // The class of the code: connection, resources, operator intervention, system; who may connect; conflicts.
        _ if ["08", "53", "57", "58", "28", "40"]
            .iter()
            .any(|class| code.code().starts_with(class)) =>
        {
            StoreError::Unavailable(text)
        }
        // No such database; a lock that was not had in time; a server that is being promoted or demoted.
        "3D000" | "55P03" | "25006" => StoreError::Unavailable(text),
        "XX001" | "XX002" => StoreError::Corrupt(text),
        _ => StoreError::Internal(text),
    }
}

fn duplicate(refusal: &DbError) -> StoreError {
    match refusal.constraint() {
        Some("agents_email") => Conflict::AgentEmail.into(),
        Some("organizations_slug") => Conflict::OrganizationSlug.into(),
        Some("audit_events_event_id") => Conflict::AuditEvent.into(),
        other => StoreError::Internal(format!(
            "a row with this key is there already ({})",
            other.unwrap_or("unnamed")
        )),
    }
}
