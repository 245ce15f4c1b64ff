//! Rows as entities. What can't be read was not written by this software.

use std::str::FromStr;

use domain::audit::Hash;
use domain::{
    Agent, AgentId, AuditEvent, Credential, CredentialId, EventId, JsonText, Organization, OrganizationId, Recorded,
    SecretDigest, StoredCredential, Timestamp,
};
use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use uuid::Uuid;

/// The columns of an organization.
pub const ORGANIZATION: &str = "organization_id, name, slug, status, tier, token_ttl_seconds, signing_algorithm, created_at, updated_at, row_version";
/// The columns of an agent.
pub const AGENT: &str = "agent_id, organization_id, email, agent_type, version, capabilities, owner, deployment_env, status, is_public, did, \
                         created_at, updated_at, row_version";
/// The columns of a credential.
pub const CREDENTIAL: &str = "credential_id, organization_id, agent_id, status, scopes, created_at, expires_at, revoked_at, last_used_at, \
                              digest, previous_digest, previous_until";
/// The columns of an audit event.
pub const AUDIT_EVENT: &str = "organization_id, sequence, event_id, timestamp, agent_id, action, outcome, ip_address, user_agent, metadata, \
                               previous_hash, hash";

/// A row of [`ORGANIZATION`].
pub fn organization(row: &Row<'_>) -> Result<Organization> {
    Ok(Organization {
        organization_id: OrganizationId(row.get("organization_id")?),
        name: row.get("name")?,
        slug: row.get("slug")?,
        status: parsed(row, "status")?,
        tier: parsed(row, "tier")?,
        token_ttl_seconds: row.get("token_ttl_seconds")?,
        signing_algorithm: parsed(row, "signing_algorithm")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        row_version: number(row, "row_version")?,
    })
}

/// A row of [`AGENT`].
pub fn agent(row: &Row<'_>) -> Result<Agent> {
    let capabilities: String = row.get("capabilities")?;
    Ok(Agent {
        agent_id: AgentId(row.get("agent_id")?),
        organization_id: OrganizationId(row.get("organization_id")?),
        email: parsed(row, "email")?,
        agent_type: parsed(row, "agent_type")?,
        version: row.get("version")?,
        capabilities: serde_json::from_str(&capabilities).map_err(|error| unreadable("capabilities", error))?,
        owner: row.get("owner")?,
        deployment_env: parsed(row, "deployment_env")?,
        status: parsed(row, "status")?,
        is_public: row.get("is_public")?,
        did: row.get("did")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        row_version: number(row, "row_version")?,
    })
}

/// A row of [`CREDENTIAL`].
pub fn stored_credential(row: &Row<'_>) -> Result<StoredCredential> {
    let previous: Option<[u8; 32]> = row.get("previous_digest")?;
    let until = optional_time(row, "previous_until")?;
    Ok(StoredCredential {
        credential: credential(row)?,
        digest: SecretDigest(row.get("digest")?),
        previous: previous.map(SecretDigest).zip(until),
    })
}

/// A row of [`CREDENTIAL`], without what it is checked against.
pub fn credential(row: &Row<'_>) -> Result<Credential> {
    let scopes: Option<String> = row.get("scopes")?;
    Ok(Credential {
        credential_id: CredentialId(row.get("credential_id")?),
        organization_id: OrganizationId(row.get("organization_id")?),
        agent_id: AgentId(row.get("agent_id")?),
        status: parsed(row, "status")?,
        scopes: scopes
            .map(|text| text.parse())
            .transpose()
            .map_err(|error| unreadable("scopes", error))?,
        created_at: time(row, "created_at")?,
        expires_at: optional_time(row, "expires_at")?,
        revoked_at: optional_time(row, "revoked_at")?,
        last_used_at: optional_time(row, "last_used_at")?,
    })
}

/// A row of [`AUDIT_EVENT`]. A row that somebody tampered with is read as far as possible, so that the chain can tell.
pub fn audit_event(row: &Row<'_>) -> Result<AuditEvent> {
    Ok(AuditEvent {
        event_id: EventId(identifier(row, "event_id")?.unwrap_or_default()),
        // Sequences start at 1.
        sequence: row.get::<_, i64>("sequence")?.try_into().unwrap_or(0),
        organization_id: OrganizationId(row.get("organization_id")?),
        agent_id: identifier(row, "agent_id")?.map(AgentId),
        action: Recorded::from_stored(text(row, "action")?.unwrap_or_default()),
        outcome: Recorded::from_stored(text(row, "outcome")?.unwrap_or_default()),
        ip_address: text(row, "ip_address")?,
        user_agent: text(row, "user_agent")?,
        metadata: JsonText::from_stored(text(row, "metadata")?.unwrap_or_default()),
        timestamp: time(row, "timestamp")?,
        previous_hash: Hash::from_stored(bytes(row, "previous_hash")?.unwrap_or_default()),
        hash: Hash::from_stored(bytes(row, "hash")?.unwrap_or_default()),
    })
}

/// An identifier; zeros if the bytes are not as many as one has, which this software never writes.
fn identifier(row: &Row<'_>, column: &str) -> Result<Option<Uuid>> {
    let bytes = bytes(row, column)?;
    Ok(bytes.map(|bytes| Uuid::from_slice(bytes).unwrap_or_default()))
}

/// A text; what is not UTF-8 in it, which SQLite lets anybody write, is replaced.
fn text(row: &Row<'_>, column: &str) -> Result<Option<String>> {
    let bytes = bytes(row, column)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

/// The bytes of a text or a blob, if there are any.
fn bytes<'a>(row: &'a Row<'_>, column: &str) -> Result<Option<&'a [u8]>> {
    let value = row.get_ref(column)?;
    value.as_bytes_or_null().map_err(|error| unreadable(column, error))
}

/// A number that is never negative.
pub fn number(row: &Row<'_>, column: &str) -> Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|error| unreadable(column, error))
}

fn time(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

fn parsed<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get::<_, String>(column)?
        .parse()
        .map_err(|error| unreadable(column, error))
}

fn unreadable(column: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    tracing::error!(column, %error, "a stored value can't be read");
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}
