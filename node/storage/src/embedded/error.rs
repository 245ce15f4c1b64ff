//! What SQLite says, in the domain's terms.

use std::path::Path;

use domain::ports::{Conflict, StoreError};
use rusqlite::ErrorCode;

/// Turns an error of the library into one that callers can act upon.
pub fn store_error(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return StoreError::Internal(error.to_string());
    };
    match failure.code {
        ErrorCode::ConstraintViolation => conflict(message.as_deref().unwrap_or_default()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(error.to_string()),
        ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Internal(error.to_string()),
    }
}

fn conflict(message: &str) -> StoreError {
    match message {
        text if text.contains("agents_email") || text.contains("agents.email") => Conflict::AgentEmail.into(),
        text if text.contains("organizations.slug") => Conflict::OrganizationSlug.into(),
        text if text.contains("audit_events.event_id") || text.contains("audit_events_id") => {
            Conflict::AuditEvent.into()
        }
        text if text.contains("FOREIGN KEY") => StoreError::NotFound,
        text => StoreError::Internal(text.to_owned()),
    }
}

/// A file that can't be opened, with its name and the way out.
pub fn refused(path: &Path, reason: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!(
        "{}: {reason}. Restore the file from a backup, or name another with store.url = \"embedded:PATH\"",
        path.display()
    ))
}
