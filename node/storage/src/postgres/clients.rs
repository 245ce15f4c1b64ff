//! Agents as OAuth clients in PostgreSQL.

use async_trait::async_trait;
use domain::ports::{Clients, StoreError};
use domain::{AgentId, ClientRecord};

use super::connection::Step;
use super::rows::{self, agent_columns, credential_columns, organization_columns};
use super::session::Binding;
use super::store::PostgresStore;

const AGENT: &str = concat!("SELECT ", agent_columns!(), " FROM agents WHERE agent_id = $1");
const ORGANIZATION: &str = concat!(
    "SELECT ",
    organization_columns!(),
    " FROM organizations WHERE organization_id = (SELECT agents.organization_id FROM agents WHERE agent_id = $1)"
);
const CREDENTIALS: &str = concat!(
    "SELECT ",
    credential_columns!(),
    ", digest, previous_digest, previous_until
        FROM credentials WHERE agent_id = $1 AND status = 'active' ORDER BY created_at, credential_id"
);

#[async_trait]
impl Clients for PostgresStore {
    async fn load(&self, client: AgentId) -> Result<Option<ClientRecord>, StoreError> {
        self.attempt(|mut session| async move {
            let steps = [AGENT, ORGANIZATION, CREDENTIALS];
            let key: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&client.0];
            let answers = session
                .read(&Binding::Client(client), &steps.map(|sql| Step(sql, &key)))
                .await?;
            let agent = rows::optional(&answers[0], rows::agent)?;
            let organization = rows::optional(&answers[1], rows::organization)?;
            let Some((agent, organization)) = agent.zip(organization) else {
                return Ok(None);
            };
            let credentials = rows::all(&answers[2], rows::stored_credential)?;
            Ok(Some(ClientRecord {
                organization,
                agent,
                credentials,
            }))
        })
        .await
    }
}
