//! Agents in the embedded store.

use async_trait::async_trait;
use domain::ports::{Agents, Conflict, StoreError};
use domain::{Agent, AgentFilter, AgentId, Change, OrganizationId, OutboxId, Page, PageOf};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::change::{self, signed};
use super::error::store_error;
use super::key_page::page_of_keys;
use super::rows::{self, AGENT};
use super::store::EmbeddedStore;
use crate::search;

/// What a filter matches; a parameter that is NULL does not matter.
const MATCHES: &str = "organization_id = :organization
    AND (:status IS NULL OR status = :status)
    AND (:agent_type IS NULL OR agent_type = :agent_type)
    AND (:owner IS NULL OR owner = :owner)
    AND (:deployment_env IS NULL OR deployment_env = :deployment_env)
    AND (:q IS NULL OR instr(email, :q) OR instr(owner_folded, :q)
         OR EXISTS (SELECT 1 FROM json_each(capabilities) WHERE instr(value, :q)))";

#[async_trait]
impl Agents for EmbeddedStore {
    async fn register(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        let (agent, change) = (agent.clone(), change.clone());
        self.write(move |transaction| {
            change::admit(transaction, agent.organization_id, &change)?;
            insert(transaction, &agent)?;
            change::write(transaction, &change)
        })
        .await
    }

    async fn find(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<Agent>, StoreError> {
        self.read(move |connection| find(connection, organization, agent)).await
    }

    async fn list(
        &self,
        organization: OrganizationId,
        filter: &AgentFilter,
        page: Page,
    ) -> Result<PageOf<Agent>, StoreError> {
        let filter = filter.clone();
        self.search(move |connection| list(connection, organization, &filter, page))
            .await
    }

    async fn update(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        let (agent, change) = (agent.clone(), change.clone());
        self.write(move |transaction| {
            change::admit(transaction, agent.organization_id, &change)?;
            update(transaction, &agent)?;
            change::write(transaction, &change)
        })
        .await
    }

    async fn decommission(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        let (agent, change) = (agent.clone(), change.clone());
        self.write(move |transaction| {
            change::admit(transaction, agent.organization_id, &change)?;
            update(transaction, &agent)?;
            let sql = "UPDATE credentials SET status = 'revoked', revoked_at = :at, previous_digest = NULL, previous_until = NULL
                       WHERE organization_id = :organization AND agent_id = :agent AND status = 'active'";
            let values = named_params! { ":at": agent.updated_at.as_millis(), ":organization": agent.organization_id.0, ":agent": agent.agent_id.0 };
            transaction.prepare_cached(sql).and_then(|mut revoke| revoke.execute(values)).map_err(store_error)?;
            change::write(transaction, &change)
        })
        .await
    }
}

/// One agent of one organization.
pub(super) fn find(
    connection: &Connection,
    organization: OrganizationId,
    agent: AgentId,
) -> Result<Option<Agent>, StoreError> {
    let sql = format!("SELECT {AGENT} FROM agents WHERE organization_id = ?1 AND agent_id = ?2");
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    query
        .query_row([organization.0, agent.0], rows::agent)
        .optional()
        .map_err(store_error)
}

fn insert(transaction: &Transaction<'_>, agent: &Agent) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO agents ({AGENT}, owner_folded) VALUES (:agent_id, :organization_id, :email, :agent_type, :version,
         :capabilities, :owner, :deployment_env, :status, :is_public, :did, :created_at, :updated_at, :row_version,
         :owner_folded)"
    );
    let values = named_params! {
        ":agent_id": agent.agent_id.0,
        ":organization_id": agent.organization_id.0,
        ":email": agent.email.as_str(),
        ":agent_type": agent.agent_type.as_str(),
        ":version": agent.version,
        ":capabilities": capabilities(agent)?,
        ":owner": agent.owner,
        ":owner_folded": search::folded(&agent.owner),
        ":deployment_env": agent.deployment_env.as_str(),
        ":status": agent.status.as_str(),
        ":is_public": agent.is_public,
        ":did": agent.did,
        ":created_at": agent.created_at.as_millis(),
        ":updated_at": agent.updated_at.as_millis(),
        ":row_version": signed(agent.row_version),
    };
    transaction
        .prepare_cached(&sql)
        .and_then(|mut insert| insert.execute(values))
        .map_err(store_error)?;
    Ok(())
}

fn update(transaction: &Transaction<'_>, agent: &Agent) -> Result<(), StoreError> {
    let sql = "UPDATE agents SET email = :email, agent_type = :agent_type, version = :version, capabilities = :capabilities, owner = :owner,
               owner_folded = :owner_folded, deployment_env = :deployment_env, status = :status, is_public = :is_public, did = :did, updated_at = :updated_at,
               row_version = :row_version
               WHERE organization_id = :organization_id AND agent_id = :agent_id AND row_version = :row_version - 1";
    let values = named_params! {
        ":agent_id": agent.agent_id.0,
        ":organization_id": agent.organization_id.0,
        ":email": agent.email.as_str(),
        ":agent_type": agent.agent_type.as_str(),
        ":version": agent.version,
        ":capabilities": capabilities(agent)?,
        ":owner": agent.owner,
        ":owner_folded": search::folded(&agent.owner),
        ":deployment_env": agent.deployment_env.as_str(),
        ":status": agent.status.as_str(),
        ":is_public": agent.is_public,
        ":did": agent.did,
        ":updated_at": agent.updated_at.as_millis(),
        ":row_version": signed(agent.row_version),
    };
    let changed = transaction
        .prepare_cached(sql)
        .and_then(|mut update| update.execute(values))
        .map_err(store_error)?;
    if changed == 1 {
        return Ok(());
    }
    match find(transaction, agent.organization_id, agent.agent_id)? {
        Some(_) => Err(Conflict::RowVersion.into()),
        None => Err(StoreError::NotFound),
    }
}

fn list(
    connection: &Connection,
    organization: OrganizationId,
    filter: &AgentFilter,
    page: Page,
) -> Result<PageOf<Agent>, StoreError> {
    let q = filter.q.as_ref().map(|text| search::folded(text));
    let (status, agent_type) = (
        filter.status.map(|value| value.as_str()),
        filter.agent_type.map(|value| value.as_str()),
    );
    let deployment_env = filter.deployment_env.map(|value| value.as_str());
    let matching = named_params! {
        ":organization": organization.0, ":status": status, ":agent_type": agent_type, ":owner": filter.owner,
        ":deployment_env": deployment_env, ":q": q,
    };
    let sql = format!("SELECT agent_id FROM agents WHERE {MATCHES} ORDER BY created_at, agent_id");
    let (total, on_page) = connection
        .prepare_cached(&sql)
        .and_then(|mut query| page_of_keys(query.query_and_then(matching, |row| row.get(0))?, page, |_| true))
        .map_err(store_error)?;
    let found = on_page
        .into_iter()
        .map(|id| find(connection, organization, AgentId(id)));
    Ok(PageOf {
        data: found.filter_map(Result::transpose).collect::<Result<_, _>>()?,
        total,
        page: page.number(),
        limit: page.limit(),
    })
}

fn capabilities(agent: &Agent) -> Result<String, StoreError> {
    serde_json::to_string(&agent.capabilities).map_err(|error| StoreError::Internal(error.to_string()))
}
