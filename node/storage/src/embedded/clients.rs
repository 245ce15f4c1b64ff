//! Agents as OAuth clients in the embedded store.

use async_trait::async_trait;
use domain::ports::{Clients, StoreError};
use domain::{AgentId, ClientRecord};
use rusqlite::{Connection, OptionalExtension};

use super::error::store_error;
use super::rows::{self, AGENT, CREDENTIAL, ORGANIZATION};
use super::store::EmbeddedStore;

#[async_trait]
impl Clients for EmbeddedStore {
    async fn load(&self, client: AgentId) -> Result<Option<ClientRecord>, StoreError> {
        self.read(move |connection| load(connection, client)).await
    }
}

fn load(connection: &Connection, client: AgentId) -> Result<Option<ClientRecord>, StoreError> {
    let sql = format!("SELECT {AGENT} FROM agents WHERE agent_id = ?1");
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    let agent = query.query_row([client.0], rows::agent).optional();
    let Some(agent) = agent.map_err(store_error)? else {
        return Ok(None);
    };

    let sql = format!("SELECT {ORGANIZATION} FROM organizations WHERE organization_id = ?1");
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    let organization = query.query_row([agent.organization_id.0], rows::organization);
    let organization = organization.map_err(store_error)?;

    let sql = format!(
        "SELECT {CREDENTIAL} FROM credentials WHERE agent_id = ?1 AND status = 'active' ORDER BY created_at, credential_id"
    );
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    let credentials = query.query_map([client.0], rows::stored_credential);
    let credentials = credentials.and_then(Iterator::collect).map_err(store_error)?;
    Ok(Some(ClientRecord {
        organization,
        agent,
        credentials,
    }))
}
