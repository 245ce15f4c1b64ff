//! Credentials in PostgreSQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ports::{Conflict, CredentialRotation, Credentials, StoreError};
use domain::{
    AgentId, Change, Credential, CredentialId, CredentialStatus, OrganizationId, OutboxId, Page, PageOf,
    StoredCredential, Timestamp,
};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::change;
use super::connection::Step;
use super::error::Failure;
use super::rows::{self, credential_columns, signed};
use super::session::{Binding, Session};
use super::store::PostgresStore;
use super::time::Time;
use crate::ownership;

/// Nobody adds one or decommissions the agent meanwhile: both wait for the head of the organization's chain. Whether the
/// agent is there at all is checked by the foreign key.
const COUNT_ACTIVE: &str =
    "SELECT count(*) FROM credentials WHERE organization_id = $1 AND agent_id = $2 AND status = 'active'";
const INSERT: &str = concat!(
    "INSERT INTO credentials (",
    credential_columns!(),
    ", digest, previous_digest, previous_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
);
const FIND: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM credentials WHERE organization_id = $1 AND agent_id = $2 AND credential_id = $3"
);
const COUNT: &str = "SELECT count(*) FROM credentials
    WHERE organization_id = $1 AND agent_id = $2 AND ($3::text IS NULL OR status = $3)";
const LIST: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM credentials WHERE organization_id = $1 AND agent_id = $2 AND ($3::text IS NULL OR status = $3)
        ORDER BY created_at, credential_id LIMIT $4 OFFSET $5"
);
const ROTATE: &str = concat!(
    "UPDATE credentials SET previous_digest = CASE WHEN $5::timestamptz IS NULL THEN NULL ELSE digest END, previous_until = $5,
        digest = $3, expires_at = $4
        WHERE organization_id = $1 AND credential_id = $2 AND status = 'active' RETURNING ",
    credential_columns!()
);
const REVOKE: &str =
    "UPDATE credentials SET status = 'revoked', revoked_at = $3, previous_digest = NULL, previous_until = NULL
    WHERE organization_id = $1 AND credential_id = $2 AND status = 'active' RETURNING credential_id";
const EXISTS: &str = "SELECT FROM credentials WHERE organization_id = $1 AND credential_id = $2";
/// In order of their ids, so that two transactions never wait for each other.
const TOUCH: &str = "WITH used AS (SELECT credential_id, used_at
        FROM credentials JOIN unnest($2::uuid[], $3::timestamptz[]) AS used (id, used_at) ON credential_id = id
        WHERE organization_id = $1 AND (last_used_at IS NULL OR last_used_at < used_at)
        ORDER BY credential_id FOR UPDATE OF credentials)
    UPDATE credentials SET last_used_at = greatest(last_used_at, used_at)
    FROM used WHERE credentials.credential_id = used.credential_id";

#[async_trait]
impl Credentials for PostgresStore {
    async fn create(&self, credential: &StoredCredential, change: &Change) -> Result<OutboxId, StoreError> {
        let shown = &credential.credential;
        let (organization, agent) = (shown.organization_id, shown.agent_id);
        ownership::check(organization, change)?;
        let (status, scopes) = (shown.status.as_str(), &shown.scopes.map(|scopes| scopes.to_string()));
        let created_at = Time(shown.created_at);
        let [expires_at, revoked_at, last_used_at] =
            [shown.expires_at, shown.revoked_at, shown.last_used_at].map(|at| at.map(Time));
        let digest = credential.digest.0.as_slice();
        let previous_digest = credential.previous.as_ref().map(|(digest, _)| digest.0.as_slice());
        let previous_until = credential.previous.map(|(_, until)| Time(until));
        self.attempt(|mut session| async move {
            let values: [&(dyn ToSql + Sync); 12] = [
                &shown.credential_id.0,
                &organization.0,
                &agent.0,
                &status,
                scopes,
                &created_at,
                &expires_at,
                &revoked_at,
                &last_used_at,
                &digest,
                &previous_digest,
                &previous_until,
            ];
            let key = [values[1], values[2]];
            let steps = [Step(COUNT_ACTIVE, &key), Step(INSERT, &values)];
            let (head, answers) = change::begin(&mut session, organization, change, &steps).await?;
            if rows::single::<i64>(&answers[0])? >= i64::from(Credential::ACTIVE_MAX) {
                return Err(session.refuse(Conflict::CredentialLimit).await);
            }
            change::commit(&mut session, change, &head).await
        })
        .await
    }

    async fn find(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        self.attempt(|mut session| async move {
            let step = Step(FIND, &[&organization.0, &agent.0, &credential.0]);
            let answers = session.read(&Binding::Organization(organization), &[step]).await?;
            Ok(rows::optional(&answers[0], rows::credential)?)
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
        let status = status.map(|status| status.as_str());
        let (limit, offset) = (i64::from(page.limit()), signed(page.offset()));
        self.attempt(|mut session| async move {
            let values: [&(dyn ToSql + Sync); 5] = [&organization.0, &agent.0, &status, &limit, &offset];
            let steps = [Step(COUNT, &values[..3]), Step(LIST, &values)];
            let answers = session.read(&Binding::Organization(organization), &steps).await?;
            rows::page(&answers, rows::credential, page).map_err(Failure::from)
        })
        .await
    }

    async fn rotate(
        &self,
        organization: OrganizationId,
        rotation: &CredentialRotation,
        change: &Change,
    ) -> Result<(Credential, OutboxId), StoreError> {
        ownership::check(organization, change)?;
        let digest = rotation.digest.0.as_slice();
        let (expires_at, overlap_until) = (rotation.expires_at.map(Time), rotation.overlap_until.map(Time));
        self.attempt(|mut session| async move {
            let values: [&(dyn ToSql + Sync); 5] = [
                &organization.0,
                &rotation.credential.0,
                &digest,
                &expires_at,
                &overlap_until,
            ];
            let [changed, head] = change_live(&mut session, organization, change, Step(ROTATE, &values)).await?;
            let now = rows::credential(&changed[0])?;
            Ok((now, change::commit(&mut session, change, &head).await?))
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
        ownership::check(organization, change)?;
        let at = Time(at);
        self.attempt(|mut session| async move {
            let step = Step(REVOKE, &[&organization.0, &credential.0, &at]);
            let [_, head] = change_live(&mut session, organization, change, step).await?;
            change::commit(&mut session, change, &head).await
        })
        .await
    }

    async fn touch(&self, organization: OrganizationId, used: &[(CredentialId, Timestamp)]) -> Result<(), StoreError> {
        let mut latest = BTreeMap::new();
        for (credential, at) in used {
            latest
                .entry(credential.0)
                .and_modify(|known: &mut Timestamp| *known = (*known).max(*at))
                .or_insert(*at);
        }
        let (ids, times): &(Vec<Uuid>, Vec<Time>) = &latest.into_iter().map(|(id, at)| (id, Time(at))).unzip();
        if ids.is_empty() {
            return Ok(());
        }
        self.attempt(|mut session| async move {
            let step = Step(TOUCH, &[&organization.0, ids, times]);
            session.write(&Binding::Organization(organization), &[step]).await
        })
        .await?;
        Ok(())
    }
}

/// Opens a transaction and changes a credential that is not revoked (`step`, whose `$1` and `$2` are the organization and
/// the credential); answers what the statement returned and the locked head of the chain.
async fn change_live(
    session: &mut Session,
    organization: OrganizationId,
    change: &Change,
    step: Step<'_>,
) -> Result<[Vec<Row>; 2], Failure> {
    let steps = [step, Step(EXISTS, &step.1[..2])];
    let (head, mut answers) = change::begin(session, organization, change, &steps).await?;
    if !answers[0].is_empty() {
        return Ok([answers.swap_remove(0), head]);
    }
    let reason = if answers[1].is_empty() {
        StoreError::NotFound
    } else {
        Conflict::CredentialRevoked.into()
    };
    Err(session.refuse(reason).await)
}
