//! What every write leaves behind beside its row: links in audit chains, and a message in the outbox.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::audit::{ChainHead, Hash};
use domain::ports::StoreError;
use domain::{AuditEvent, AuditRecord, Change, OrganizationId, OutboxId};
use rusqlite::{CachedStatement, Error, OptionalExtension, Transaction, ffi, params};

use super::error::store_error;
use super::rows::{self, AUDIT_EVENT};
use crate::ownership;

/// Begins a change of a row of the organization. To be called before anything is written: a change may well end its own
/// author.
pub fn admit(transaction: &Transaction<'_>, organization: OrganizationId, change: &Change) -> Result<(), StoreError> {
    ownership::check(organization, change)?;
    admit_author(transaction, change)
}

/// Refuses a change whose author is not active any more. No other write can come between this and the commit.
pub fn admit_author(transaction: &Transaction<'_>, change: &Change) -> Result<(), StoreError> {
    let Some(author) = change.author else { return Ok(()) };
    let sql = "SELECT EXISTS (SELECT 1 FROM organizations
                   JOIN agents USING (organization_id) JOIN credentials USING (organization_id, agent_id)
                   WHERE organization_id = ?1 AND agent_id = ?2 AND credential_id = ?3
                   AND organizations.status = 'active' AND agents.status = 'active' AND credentials.status = 'active'
                   AND (expires_at IS NULL OR expires_at > ?4))";
    let values = params![
        change.audit.organization_id.0,
        author.agent.0,
        author.credential.0,
        change.audit.timestamp.as_millis(),
    ];
    let is_active: bool = transaction
        .prepare_cached(sql)
        .and_then(|mut query| query.query_row(values, |row| row.get(0)))
        .map_err(store_error)?;
    if is_active {
        Ok(())
    } else {
        Err(StoreError::AuthorNotActive)
    }
}

/// Appends a change's audit record and its announcement.
pub fn write(transaction: &Transaction<'_>, change: &Change) -> Result<OutboxId, StoreError> {
    append(transaction, vec![change.audit.clone()])?;
    let message = serde_json::to_string(&change.message).map_err(|error| StoreError::Internal(error.to_string()))?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO outbox (occurred_at, message) VALUES (?1, ?2)")
        .map_err(store_error)?;
    let id = insert
        .insert(params![change.message.occurred_at.as_millis(), message])
        .map_err(store_error)?;
    Ok(OutboxId(id))
}

/// Appends records to their chains, in the given order.
pub fn append(transaction: &Transaction<'_>, records: Vec<AuditRecord>) -> Result<(), StoreError> {
    let mut heads = BTreeMap::new();
    let sql =
        format!("INSERT INTO audit_events ({AUDIT_EVENT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    let mut insert = transaction.prepare_cached(&sql).map_err(store_error)?;
    for record in records {
        let organization = record.organization_id;
        let head = match heads.entry(organization) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(head(transaction, organization)?.ok_or(StoreError::NotFound)?),
        };
        let event = head.append(record);
        insert_event(&mut insert, &event)?;
    }
    let sql = "UPDATE audit_heads SET sequence = ?2, hash = ?3 WHERE organization_id = ?1";
    let mut update = transaction.prepare_cached(sql).map_err(store_error)?;
    for (organization, head) in &heads {
        update
            .execute(params![organization.0, signed(head.sequence), head.hash.0])
            .map_err(store_error)?;
    }
    Ok(())
}

/// Starts the chain of a new organization.
pub fn start_chain(transaction: &Transaction<'_>, organization: OrganizationId) -> Result<(), StoreError> {
    let start = ChainHead::EMPTY;
    let mut insert = transaction
        .prepare_cached("INSERT INTO audit_heads (organization_id, sequence, hash) VALUES (?1, ?2, ?3)")
        .map_err(store_error)?;
    insert
        .execute(params![organization.0, signed(start.sequence), start.hash.0])
        .map_err(store_error)?;
    Ok(())
}

/// Where a chain ends; `None` if there is no such organization.
pub fn head(connection: &rusqlite::Connection, organization: OrganizationId) -> Result<Option<ChainHead>, StoreError> {
    let mut query = connection
        .prepare_cached("SELECT sequence, hash FROM audit_heads WHERE organization_id = ?1")
        .map_err(store_error)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(ChainHead {
            sequence: rows::number(row, "sequence")?,
            hash: Hash(row.get("hash")?),
        })
    };
    query.query_row([organization.0], read).optional().map_err(store_error)
}

fn insert_event(insert: &mut CachedStatement<'_>, event: &AuditEvent) -> Result<(), StoreError> {
    let values = params![
        event.organization_id.0,
        signed(event.sequence),
        event.event_id.0,
        event.timestamp.as_millis(),
        event.agent_id.map(|id| id.0),
        event.action.as_str(),
        event.outcome.as_str(),
        event.ip_address,
        event.user_agent,
        event.metadata.as_str(),
        event.previous_hash.0,
        event.hash.0,
    ];
    match insert.execute(values) {
        Ok(_) => Ok(()),
        // The place behind the head is taken, and only this transaction may fill it.
        Err(Error::SqliteFailure(failure, _)) if failure.extended_code == ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            Err(StoreError::CorruptChain(event.organization_id))
        }
        Err(error) => Err(store_error(error)),
    }
}

/// SQLite's integers are signed; a count never comes near the sign.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
