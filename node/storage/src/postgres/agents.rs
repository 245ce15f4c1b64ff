//! Agents in PostgreSQL.

use async_trait::async_trait;
use domain::ports::{Agents, Conflict, StoreError};
use domain::{Agent, AgentFilter, AgentId, Change, OrganizationId, OutboxId, Page, PageOf};
use tokio_postgres::types::ToSql;

use super::change;
use super::connection::Step;
use super::error::Failure;
use super::rows::{self, agent_columns, signed};
use super::session::{Binding, Session};
use super::store::PostgresStore;
use super::time::Time;
use crate::{ownership, search};

const INSERT: &str =
    "INSERT INTO agents (organization_id, agent_id, email, agent_type, version, capabilities, owner, owner_folded,
        deployment_env, status, is_public, did, updated_at, row_version, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const UPDATE: &str =
    "UPDATE agents SET email = $3, agent_type = $4, version = $5, capabilities = $6, owner = $7, owner_folded = $8,
        deployment_env = $9, status = $10, is_public = $11, did = $12, updated_at = $13, row_version = $14
    WHERE organization_id = $1 AND agent_id = $2 AND row_version = $14::bigint - 1 RETURNING agent_id";
/// In order of their ids, so that two transactions never wait for each other.
const REVOKE_CREDENTIALS: &str = "WITH live AS (SELECT credential_id FROM credentials
        WHERE organization_id = $1 AND agent_id = $2 AND status = 'active' ORDER BY credential_id FOR UPDATE)
    UPDATE credentials SET status = 'revoked', revoked_at = $3, previous_digest = NULL, previous_until = NULL
    FROM live WHERE credentials.credential_id = live.credential_id";
const FIND: &str = concat!(
    "SELECT ",
    agent_columns!(),
    " FROM agents WHERE organization_id = $1 AND agent_id = $2"
);

/// What a filter matches; a value that is NULL does not matter.
macro_rules! matching {
    () => {
        " FROM agents WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR agent_type = $3)
            AND ($4::text IS NULL OR owner = $4) AND ($5::text IS NULL OR deployment_env = $5)
            AND ($6::text IS NULL OR strpos(email, $6) > 0 OR strpos(owner_folded, $6) > 0
                OR EXISTS (SELECT FROM unnest(capabilities) AS capability WHERE strpos(capability, $6) > 0))"
    };
}
const COUNT: &str = concat!("SELECT count(*)", matching!());
const LIST: &str = concat!(
    "SELECT ",
    agent_columns!(),
    matching!(),
    " ORDER BY created_at, agent_id LIMIT $7 OFFSET $8"
);

#[async_trait]
impl Agents for PostgresStore {
    async fn register(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        ownership::check(agent.organization_id, change)?;
        let values = &Values::new(agent);
        self.attempt(|mut session| async move {
            let insert = [Step(INSERT, &values.inserted())];
            let (head, _) = change::begin(&mut session, agent.organization_id, change, &insert).await?;
            change::commit(&mut session, change, &head).await
        })
        .await
    }

    async fn find(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<Agent>, StoreError> {
        self.attempt(|mut session| async move {
            let step = Step(FIND, &[&organization.0, &agent.0]);
            let answers = session.read(&Binding::Organization(organization), &[step]).await?;
            Ok(rows::optional(&answers[0], rows::agent)?)
        })
        .await
    }

    async fn list(
        &self,
        organization: OrganizationId,
        filter: &AgentFilter,
        page: Page,
    ) -> Result<PageOf<Agent>, StoreError> {
        let q = &filter.q.as_deref().map(search::folded);
        if [&filter.owner, q]
            .into_iter()
            .flatten()
            .any(|text| rows::cannot_be_stored(text))
        {
            return Ok(PageOf {
                data: Vec::new(),
                total: 0,
                page: page.number(),
                limit: page.limit(),
            });
        }
        let (status, agent_type) = (
            filter.status.map(|it| it.as_str()),
            filter.agent_type.map(|it| it.as_str()),
        );
        let deployment_env = filter.deployment_env.map(|it| it.as_str());
        let (limit, offset) = (i64::from(page.limit()), signed(page.offset()));
        self.attempt(|mut session| async move {
            let values: [&(dyn ToSql + Sync); 8] = [
                &organization.0,
                &status,
                &agent_type,
                &filter.owner,
                &deployment_env,
                q,
                &limit,
                &offset,
            ];
            let steps = [Step(COUNT, &values[..6]), Step(LIST, &values)];
            let answers = session.read(&Binding::Organization(organization), &steps).await?;
            rows::page(&answers, rows::agent, page).map_err(Failure::from)
        })
        .await
    }

    async fn update(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        ownership::check(agent.organization_id, change)?;
        let values = &Values::new(agent);
        self.attempt(|mut session| async move { replace(&mut session, values, &[], change).await })
            .await
    }

    async fn decommission(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        ownership::check(agent.organization_id, change)?;
        let values = &Values::new(agent);
        self.attempt(|mut session| async move {
            let at = [
                &agent.organization_id.0 as &(dyn ToSql + Sync),
                &agent.agent_id.0,
                &values.updated_at,
            ];
            replace(&mut session, values, &[Step(REVOKE_CREDENTIALS, &at)], change).await
        })
        .await
    }
}

/// Replaces a row that is still in the revision that the caller saw, and does what else belongs to it.
async fn replace(
    session: &mut Session,
    values: &Values<'_>,
    more: &[Step<'_>],
    change: &Change,
) -> Result<OutboxId, Failure> {
    let (organization, agent) = (values.agent.organization_id, values.agent.agent_id);
    let (updated, key) = (values.updated(), [&organization.0 as &(dyn ToSql + Sync), &agent.0]);
    let mut steps = vec![Step(UPDATE, &updated), Step(FIND, &key)];
    steps.extend(more);
    let (head, answers) = change::begin(session, organization, change, &steps).await?;
    match (answers[0].len(), answers[1].len()) {
        (1, _) => change::commit(session, change, &head).await,
        (_, 1) => Err(session.refuse(Conflict::RowVersion).await),
        _ => Err(session.refuse(StoreError::NotFound).await),
    }
}

/// An agent's fields in the forms that the driver takes.
struct Values<'a> {
    agent: &'a Agent,
    agent_type: &'static str,
    deployment_env: &'static str,
    status: &'static str,
    capabilities: Vec<&'a str>,
    owner_folded: String,
    email: &'a str,
    created_at: Time,
    updated_at: Time,
    row_version: i64,
}

impl<'a> Values<'a> {
    fn new(agent: &'a Agent) -> Self {
        Self {
            agent,
            agent_type: agent.agent_type.as_str(),
            deployment_env: agent.deployment_env.as_str(),
            status: agent.status.as_str(),
            capabilities: agent
                .capabilities
                .iter()
                .map(|capability| capability.as_str())
                .collect(),
            owner_folded: search::folded(&agent.owner),
            email: agent.email.as_str(),
            created_at: Time(agent.created_at),
            updated_at: Time(agent.updated_at),
            row_version: signed(agent.row_version),
        }
    }

    fn inserted(&self) -> [&(dyn ToSql + Sync); 15] {
        let [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14] = self.updated();
        [
            v1,
            v2,
            v3,
            v4,
            v5,
            v6,
            v7,
            v8,
            v9,
            v10,
            v11,
            v12,
            v13,
            v14,
            &self.created_at,
        ]
    }

    fn updated(&self) -> [&(dyn ToSql + Sync); 14] {
        [
            &self.agent.organization_id.0,
            &self.agent.agent_id.0,
            &self.email,
            &self.agent_type,
            &self.agent.version,
            &self.capabilities,
            &self.agent.owner,
            &self.owner_folded,
            &self.deployment_env,
            &self.status,
            &self.agent.is_public,
            &self.agent.did,
            &self.updated_at,
            &self.row_version,
        ]
    }
}
