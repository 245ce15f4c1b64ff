//! The file's own form: whose it is, which version, and how it comes to the present one.

use std::path::Path;

use domain::ports::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use super::error::{refused, store_error};

/// Says in the file's header that it is ours: "AgID".
pub const APPLICATION_ID: i32 = 0x4167_4944;
/// Each step brings the file from the version that is its index to the next.
const STEPS: &[&str] = &[include_str!("schema.sql"), include_str!("agents_folded.sql")];

/// Applies the steps that the file has not seen. Refuses a file that is another program's or a newer version's.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| opened(path, error))?;
    let done = steps_done(&transaction, path)?;
    for step in &STEPS[done..] {
        transaction.execute_batch(step).map_err(store_error)?;
    }
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(store_error)?;
    transaction
        .pragma_update(None, "user_version", i32::try_from(STEPS.len()).unwrap_or(i32::MAX))
        .map_err(store_error)?;
    transaction.commit().map_err(store_error)
}

/// How many steps the file has seen. Changes nothing, so that it can be asked of a file that is not known to be ours.
pub fn steps_done(connection: &Connection, path: &Path) -> Result<usize, StoreError> {
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i32>(0))
            .map_err(|error| opened(path, error))
    };
    let (owner, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| opened(path, error))?;
    if owner != APPLICATION_ID && (owner != 0 || tables > 0) {
        return Err(refused(path, "this SQLite file belongs to another program"));
    }
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done <= STEPS.len() {
        return Ok(done);
    }
    let known = STEPS.len();
    let reason = format!("it was written by a newer version (schema {version}, this one knows {known})");
    Err(refused(path, reason))
}

/// What went wrong with the very first look into a file.
pub fn opened(path: &Path, error: rusqlite::Error) -> StoreError {
    match store_error(error) {
        StoreError::Unavailable(reason) => StoreError::Unavailable(format!(
            "{}: {reason}; check the disk and the file's permissions",
            path.display()
        )),
        other => refused(path, other),
    }
}
