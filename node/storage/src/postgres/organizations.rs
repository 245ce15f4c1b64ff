//! Organizations in PostgreSQL.

use async_trait::async_trait;
use domain::ports::{Organizations, StoreError};
use domain::{Change, Organization, OrganizationId, OutboxId};

use super::change::{self, AUTHOR_IS_ACTIVE, AuthorValues, LOCK_HEAD};
use super::connection::Step;
use super::rows::{self, organization_columns, signed};
use super::session::Binding;
use super::store::PostgresStore;
use super::time::Time;

const INSERT: &str = concat!(
    "INSERT INTO organizations (",
    organization_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
);
const INSERT_HEAD: &str =
    "INSERT INTO audit_heads (organization_id, sequence, hash) VALUES ($1, 0, decode(repeat('00', 32), 'hex'))";
const FIND: &str = concat!(
    "SELECT ",
    organization_columns!(),
    " FROM organizations WHERE organization_id = $1"
);
const FIND_BY_SLUG: &str = concat!(
    "SELECT ",
    organization_columns!(),
    " FROM organizations WHERE slug = $1"
);

#[async_trait]
impl Organizations for PostgresStore {
    async fn create(&self, organization: &Organization, change: &Change) -> Result<OutboxId, StoreError> {
        let id = organization.organization_id;
        let ttl = i32::try_from(organization.token_ttl_seconds).unwrap_or(i32::MAX);
        let (created_at, updated_at) = (Time(organization.created_at), Time(organization.updated_at));
        let (status, tier) = (organization.status.as_str(), organization.tier.as_str());
        let (algorithm, row_version) = (
            organization.signing_algorithm.as_str(),
            signed(organization.row_version),
        );
        // The record may belong to another chain than the new one: that of the organization that operates the installation.
        let chain = Binding::Organization(change.audit.organization_id);
        let (chain, bound, author) = (&chain, &chain.value(), &AuthorValues::new(change));
        self.attempt(|mut session| async move {
            let steps = [
                Step(
                    INSERT,
                    &[
                        &id.0,
                        &organization.name,
                        &organization.slug,
                        &status,
                        &tier,
                        &ttl,
                        &algorithm,
                        &created_at,
                        &updated_at,
                        &row_version,
                    ],
                ),
                Step(INSERT_HEAD, &[&id.0]),
                Step(chain.sql(), &[bound]),
                Step(LOCK_HEAD, &author.values()[..1]),
                Step(AUTHOR_IS_ACTIVE, &author.values()),
            ];
            let answers = session.begin(&Binding::Organization(id), &steps).await?;
            if !rows::single::<bool>(&answers[4])? {
                return Err(session.refuse(StoreError::AuthorNotActive).await);
            }
            change::commit(&mut session, change, &answers[3]).await
        })
        .await
    }

    async fn find(&self, organization: OrganizationId) -> Result<Option<Organization>, StoreError> {
        self.attempt(|mut session| async move {
            let step = Step(FIND, &[&organization.0]);
            let answers = session.read(&Binding::Organization(organization), &[step]).await?;
            Ok(rows::optional(&answers[0], rows::organization)?)
        })
        .await
    }

    async fn find_by_slug(&self, slug: &str) -> Result<Option<Organization>, StoreError> {
        if rows::cannot_be_stored(slug) {
            return Ok(None);
        }
        self.attempt(|mut session| async move {
            let answers = session
                .read(&Binding::Slug(slug.to_owned()), &[Step(FIND_BY_SLUG, &[&slug])])
                .await?;
            Ok(rows::optional(&answers[0], rows::organization)?)
        })
        .await
    }
}
