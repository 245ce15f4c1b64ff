//! Credentials in the embedded store.

use async_trait::async_trait;
use domain::ports::{Conflict, CredentialRotation, Credentials, StoreError};
use domain::{
    AgentId, Change, Credential, CredentialId, CredentialStatus, OrganizationId, OutboxId, Page, PageOf,
    StoredCredential, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params, params};

use super::agents;
use super::change::{self, signed};
use super::error::store_error;
use super::rows::{self, CREDENTIAL};
use super::store::EmbeddedStore;

const OF_AGENT: &str =
    "organization_id = :organization AND agent_id = :agent AND (:status IS NULL OR status = :status)";

#[async_trait]
impl Credentials for EmbeddedStore {
    async fn create(&self, credential: &StoredCredential, change: &Change) -> Result<OutboxId, StoreError> {
        let (new, change) = (credential.clone(), change.clone());
        self.write(move |transaction| {
            let (organization, agent) = (new.credential.organization_id, new.credential.agent_id);
            change::admit(transaction, organization, &change)?;
            agents::find(transaction, organization, agent)?.ok_or(StoreError::NotFound)?;
            check_room(transaction, agent)?;
            insert(transaction, &new)?;
            change::write(transaction, &change)
        })
        .await
    }

    async fn find(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        self.read(move |connection| {
            let found = find(connection, organization, credential)?;
            Ok(found
                .map(|found| found.credential)
                .filter(|found| found.agent_id == agent))
        })
        .await
    }

    async fn list(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        status: Option<CredentialStatus>,
        page: Page,
    ) -> Result<PageOf<Credential>, StoreError> {
        self.read(move |connection| list(connection, (organization, agent), status, page))
            .await
    }

    async fn rotate(
        &self,
        organization: OrganizationId,
        rotation: &CredentialRotation,
        change: &Change,
    ) -> Result<(Credential, OutboxId), StoreError> {
        let (rotation, change) = (rotation.clone(), change.clone());
        self.write(move |transaction| {
            change::admit(transaction, organization, &change)?;
            let sql = "UPDATE credentials SET previous_digest = CASE WHEN :until IS NULL THEN NULL ELSE digest END, previous_until = :until,
                       digest = :digest, expires_at = :expires_at
                       WHERE organization_id = :organization AND credential_id = :credential AND status = 'active'";
            let values = named_params! {
                ":until": rotation.overlap_until.map(Timestamp::as_millis),
                ":digest": rotation.digest.0,
                ":expires_at": rotation.expires_at.map(Timestamp::as_millis),
                ":organization": organization.0,
                ":credential": rotation.credential.0,
            };
            let changed = transaction.prepare_cached(sql).and_then(|mut update| update.execute(values)).map_err(store_error)?;
            let now = expect_changed(changed, find(transaction, organization, rotation.credential)?)?;
            Ok((now.credential, change::write(transaction, &change)?))
        })
        .await
    }

    async fn revoke(
        &self,
        organization: OrganizationId,
        credential: CredentialId,
        at: Timestamp,
        change: &Change,
    ) -> Result<OutboxId, StoreError> {
        let change = change.clone();
        self.write(move |transaction| {
            change::admit(transaction, organization, &change)?;
            let sql = "UPDATE credentials SET status = 'revoked', revoked_at = ?1, previous_digest = NULL, previous_until = NULL
                       WHERE organization_id = ?2 AND credential_id = ?3 AND status = 'active'";
            let values = params![at.as_millis(), organization.0, credential.0];
            let changed = transaction.prepare_cached(sql).and_then(|mut update| update.execute(values)).map_err(store_error)?;
            expect_changed(changed, find(transaction, organization, credential)?)?;
            change::write(transaction, &change)
        })
        .await
    }

    async fn touch(&self, organization: OrganizationId, used: &[(CredentialId, Timestamp)]) -> Result<(), StoreError> {
        let used = used.to_vec();
        self.write(move |transaction| {
            let sql = "UPDATE credentials SET last_used_at = ?1
                       WHERE organization_id = ?2 AND credential_id = ?3 AND (last_used_at IS NULL OR last_used_at < ?1)";
            let mut update = transaction.prepare_cached(sql).map_err(store_error)?;
            for (credential, at) in used {
                update.execute(params![at.as_millis(), organization.0, credential.0]).map_err(store_error)?;
            }
            Ok(())
        })
        .await
    }
}

/// Whether the agent may have one more credential.
fn check_room(transaction: &Transaction<'_>, agent: AgentId) -> Result<(), StoreError> {
    let sql = "SELECT count(*) FROM credentials WHERE agent_id = ?1 AND status = 'active'";
    let active: u32 = transaction
        .prepare_cached(sql)
        .and_then(|mut count| count.query_row([agent.0], |row| row.get(0)))
        .map_err(store_error)?;
    if active < Credential::ACTIVE_MAX {
        Ok(())
    } else {
        Err(Conflict::CredentialLimit.into())
    }
}

fn insert(transaction: &Transaction<'_>, new: &StoredCredential) -> Result<(), StoreError> {
    let sql =
        format!("INSERT INTO credentials ({CREDENTIAL}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    let credential = &new.credential;
    let values = params![
        credential.credential_id.0,
        credential.organization_id.0,
        credential.agent_id.0,
        credential.status.as_str(),
        credential.scopes.map(|scopes| scopes.to_string()),
        credential.created_at.as_millis(),
        credential.expires_at.map(Timestamp::as_millis),
        credential.revoked_at.map(Timestamp::as_millis),
        credential.last_used_at.map(Timestamp::as_millis),
        new.digest.0,
        new.previous.map(|(digest, _)| digest.0),
        new.previous.map(|(_, until)| until.as_millis()),
    ];
    transaction
        .prepare_cached(&sql)
        .and_then(|mut insert| insert.execute(values))
        .map_err(store_error)?;
    Ok(())
}

fn find(
    connection: &Connection,
    organization: OrganizationId,
    credential: CredentialId,
) -> Result<Option<StoredCredential>, StoreError> {
    let sql = format!("SELECT {CREDENTIAL} FROM credentials WHERE organization_id = ?1 AND credential_id = ?2");
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    query
        .query_row([organization.0, credential.0], rows::stored_credential)
        .optional()
        .map_err(store_error)
}

/// What was to be changed is there and was, is there and revoked, or is not there.
fn expect_changed(changed: usize, now: Option<StoredCredential>) -> Result<StoredCredential, StoreError> {
    match (changed, now) {
        (1, Some(now)) => Ok(now),
        (_, Some(_)) => Err(Conflict::CredentialRevoked.into()),
        (_, None) => Err(StoreError::NotFound),
    }
}

fn list(
    connection: &Connection,
    (organization, agent): (OrganizationId, AgentId),
    status: Option<CredentialStatus>,
    page: Page,
) -> Result<PageOf<Credential>, StoreError> {
    let status = status.map(|value| value.as_str());
    let matching = named_params! { ":organization": organization.0, ":agent": agent.0, ":status": status };
    let sql = format!("SELECT count(*) FROM credentials WHERE {OF_AGENT}");
    let total: i64 = connection
        .prepare_cached(&sql)
        .and_then(|mut count| count.query_row(matching, |row| row.get(0)))
        .map_err(store_error)?;
    let sql = format!(
        "SELECT {CREDENTIAL} FROM credentials WHERE {OF_AGENT} ORDER BY created_at, credential_id LIMIT :limit OFFSET :offset"
    );
    let (limit, offset) = (page.limit(), signed(page.offset()));
    let mut values = matching.to_vec();
    values.push((":limit", &limit));
    values.push((":offset", &offset));
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    let data = query
        .query_map(values.as_slice(), rows::credential)
        .and_then(Iterator::collect)
        .map_err(store_error)?;
    Ok(PageOf {
        data,
        total: total.unsigned_abs(),
        page: page.number(),
        limit,
    })
}
