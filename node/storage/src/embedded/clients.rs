//! Agents as OAuth clients in the embedded store.

use async_trait::async_trait;
use domain::ports::{Clients, StoreError};
use domain::{AgentId, ClientRecord};
use rusqlite::OptionalExtension;

use super::error::store_error;
use super::rows::{self, AGENT, CREDENTIAL, ORGANIZATION};
use super::store::EmbeddedStore;

#[async_trait]
impl Clients for EmbeddedStore {
    async fn load(&self, client: AgentId) -> Result<Option<ClientRecord>, StoreError> {
        self.read(move |connection| {
            // One transaction, so that the three reads see the same instant.
            let snapshot = connection.transaction().map_err(store_error)?;
            let sql = format!("SELECT {AGENT} FROM agents WHERE agent_id = ?1");
            let agent = snapshot.prepare_cached(&sql).and_then(|mut query| query.query_row([client.0], rows::agent).optional());
            let Some(agent) = agent.map_err(store_error)? else { return Ok(None) };
            let sql = format!("SELECT {ORGANIZATION} FROM organizations WHERE organization_id = ?1");
            let organization = snapshot.prepare_cached(&sql).and_then(|mut query| query.query_row([agent.organization_id.0], rows::organization));
            let sql = format!("SELECT {CREDENTIAL} FROM credentials WHERE agent_id = ?1 AND status = 'active' ORDER BY created_at, credential_id");
            let mut query = snapshot.prepare_cached(&sql).map_err(store_error)?;
            let credentials = query.query_map([client.0], rows::stored_credential).and_then(Iterator::collect);
            Ok(Some(ClientRecord { organization: organization.map_err(store_error)?, agent, credentials: credentials.map_err(store_error)? }))
        })
        .await
    }
}
