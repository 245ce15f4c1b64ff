//! Rows as entities. What can't be read was not written by this software.

use std::str::FromStr;

use domain::audit::{ChainHead, Hash};
use domain::ports::StoreError;
use domain::{
    Agent, AgentId, AuditEvent, Credential, CredentialId, EventId, JsonText, Organization, OrganizationId, OutboxEntry,
    OutboxId, Page, PageOf, Recorded, SecretDigest, StoredCredential, Timestamp,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::time::Time;

/// The columns that [`organization`] reads.
macro_rules! organization_columns {
    () => {
        "organization_id, name, slug, status, tier, token_ttl_seconds, signing_algorithm, created_at, updated_at, row_version"
    };
}
/// The columns that [`agent`] reads.
macro_rules! agent_columns {
    () => {
        "agent_id, organization_id, email, agent_type, version, capabilities, owner, deployment_env, status, is_public, did, \
         created_at, updated_at, row_version"
    };
}
/// The columns that [`credential`] reads.
macro_rules! credential_columns {
    () => {
        "credential_id, organization_id, agent_id, status, scopes, created_at, expires_at, revoked_at, last_used_at"
    };
}
/// The columns that [`audit_event`] reads.
macro_rules! audit_event_columns {
    () => {
        "organization_id, sequence, event_id, occurred_at, agent_id, action, outcome, ip_address, user_agent, \
         metadata::text AS metadata, previous_hash, hash"
    };
}
pub(super) use {agent_columns, audit_event_columns, credential_columns, organization_columns};

/// An organization.
pub fn organization(row: &Row) -> Result<Organization, StoreError> {
    Ok(Organization {
        organization_id: OrganizationId(get(row, "organization_id")?),
        name: get(row, "name")?,
        slug: get(row, "slug")?,
        status: parsed(row, "status")?,
        tier: parsed(row, "tier")?,
        token_ttl_seconds: get::<i32>(row, "token_ttl_seconds")?.unsigned_abs(),
        signing_algorithm: parsed(row, "signing_algorithm")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        row_version: number(row, "row_version")?,
    })
}

/// An agent.
pub fn agent(row: &Row) -> Result<Agent, StoreError> {
    let capabilities: Vec<&str> = get(row, "capabilities")?;
    let capabilities = capabilities.into_iter().map(str::parse).collect::<Result<_, _>>();
    Ok(Agent {
        agent_id: AgentId(get(row, "agent_id")?),
        organization_id: OrganizationId(get(row, "organization_id")?),
        email: parsed(row, "email")?,
        agent_type: parsed(row, "agent_type")?,
        version: get(row, "version")?,
        capabilities: capabilities.map_err(|error| unreadable("capabilities", error))?,
        owner: get(row, "owner")?,
        deployment_env: parsed(row, "deployment_env")?,
        status: parsed(row, "status")?,
        is_public: get(row, "is_public")?,
        did: get(row, "did")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        row_version: number(row, "row_version")?,
    })
}

/// A credential as callers see it.
pub fn credential(row: &Row) -> Result<Credential, StoreError> {
    let scopes: Option<&str> = get(row, "scopes")?;
    Ok(Credential {
        credential_id: CredentialId(get(row, "credential_id")?),
        organization_id: OrganizationId(get(row, "organization_id")?),
        agent_id: AgentId(get(row, "agent_id")?),
        status: parsed(row, "status")?,
        scopes: scopes
            .map(str::parse)
            .transpose()
            .map_err(|error| unreadable("scopes", error))?,
        created_at: time(row, "created_at")?,
        expires_at: optional_time(row, "expires_at")?,
        revoked_at: optional_time(row, "revoked_at")?,
        last_used_at: optional_time(row, "last_used_at")?,
    })
}

/// A credential with what it is checked against: the columns of [`credential`], and the digests.
pub fn stored_credential(row: &Row) -> Result<StoredCredential, StoreError> {
    let previous = optional_bytes(row, "previous_digest")?.map(SecretDigest);
    Ok(StoredCredential {
        credential: credential(row)?,
        digest: SecretDigest(bytes(row, "digest")?),
        previous: previous.zip(optional_time(row, "previous_until")?),
    })
}

/// An event. One that somebody tampered with is read as far as possible, so that the chain can tell.
pub fn audit_event(row: &Row) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        event_id: EventId(get(row, "event_id")?),
        // Sequences start at 1.
        sequence: get::<i64>(row, "sequence")?.try_into().unwrap_or(0),
        organization_id: OrganizationId(get(row, "organization_id")?),
        agent_id: get::<Option<Uuid>>(row, "agent_id")?.map(AgentId),
        action: Recorded::from_stored(get(row, "action")?),
        outcome: Recorded::from_stored(get(row, "outcome")?),
        ip_address: get(row, "ip_address")?,
        user_agent: get(row, "user_agent")?,
        metadata: JsonText::from_stored(get(row, "metadata")?),
        timestamp: time(row, "occurred_at")?,
        previous_hash: Hash::from_stored(get(row, "previous_hash")?),
        hash: Hash::from_stored(get(row, "hash")?),
    })
}

/// Where a chain ends: `sequence`, `hash`.
pub fn chain_head(row: &Row) -> Result<ChainHead, StoreError> {
    Ok(ChainHead {
        sequence: number(row, "sequence")?,
        hash: Hash(bytes(row, "hash")?),
    })
}

/// A message: `outbox_id`, `message`.
pub fn outbox_entry(row: &Row) -> Result<OutboxEntry, StoreError> {
    let message: &str = get(row, "message")?;
    let message = serde_json::from_str(message).map_err(|error| unreadable("message", error))?;
    Ok(OutboxEntry {
        id: OutboxId(get(row, "outbox_id")?),
        message,
    })
}

/// The row of a query that finds one or none.
pub fn optional<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    rows.first().map(read).transpose()
}

/// All rows.
pub fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

/// A page: the answers of the query that counts and of the one that lists.
pub fn page<T>(
    answers: &[Vec<Row>],
    read: impl Fn(&Row) -> Result<T, StoreError>,
    page: Page,
) -> Result<PageOf<T>, StoreError> {
    let total: i64 = single(&answers[0])?;
    Ok(PageOf {
        data: all(&answers[1], read)?,
        total: total.unsigned_abs(),
        page: page.number(),
        limit: page.limit(),
    })
}

/// Whether PostgreSQL takes the text at all; if not, no row can hold it.
pub fn cannot_be_stored(text: &str) -> bool {
    text.contains('\0')
}

/// The only value of the only row.
pub fn single<'a, T: FromSql<'a>>(rows: &'a [Row]) -> Result<T, StoreError> {
    let row = rows
        .first()
        .ok_or_else(|| StoreError::Internal("a statement answered no row".to_owned()))?;
    row.try_get(0).map_err(|error| StoreError::Internal(error.to_string()))
}

/// PostgreSQL's integers are signed; a count never comes near the sign.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| unreadable(column, error))
}

fn number(row: &Row, column: &str) -> Result<u64, StoreError> {
    u64::try_from(get::<i64>(row, column)?).map_err(|error| unreadable(column, error))
}

fn time(row: &Row, column: &str) -> Result<Timestamp, StoreError> {
    get::<Time>(row, column).map(|time| time.0)
}

fn optional_time(row: &Row, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(get::<Option<Time>>(row, column)?.map(|time| time.0))
}

fn bytes(row: &Row, column: &str) -> Result<[u8; 32], StoreError> {
    get::<&[u8]>(row, column)?
        .try_into()
        .map_err(|error| unreadable(column, error))
}

fn optional_bytes(row: &Row, column: &str) -> Result<Option<[u8; 32]>, StoreError> {
    let bytes = get::<Option<&[u8]>>(row, column)?;
    bytes
        .map(<[u8; 32]>::try_from)
        .transpose()
        .map_err(|error| unreadable(column, error))
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(row: &Row, column: &str) -> Result<T, StoreError> {
    get::<&str>(row, column)?
        .parse()
        .map_err(|error| unreadable(column, error))
}

fn unreadable(column: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("column {column}: {error}"))
}
