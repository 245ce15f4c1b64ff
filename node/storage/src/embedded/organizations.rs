//! Organizations in the embedded store.

use async_trait::async_trait;
use domain::ports::{Organizations, StoreError};
use domain::{Change, Organization, OrganizationId, OutboxId};
use rusqlite::{OptionalExtension, params};

use super::change::{self, signed};
use super::error::store_error;
use super::rows::{self, ORGANIZATION};
use super::store::EmbeddedStore;

#[async_trait]
impl Organizations for EmbeddedStore {
    async fn create(&self, organization: &Organization, change: &Change) -> Result<OutboxId, StoreError> {
        let (new, change) = (organization.clone(), change.clone());
        self.write(move |transaction| {
            change::admit_author(transaction, &change)?;
            let sql =
                format!("INSERT INTO organizations ({ORGANIZATION}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
            let values = params![
                new.organization_id.0,
                new.name,
                new.slug,
                new.status.as_str(),
                new.tier.as_str(),
                new.token_ttl_seconds,
                new.signing_algorithm.as_str(),
                new.created_at.as_millis(),
                new.updated_at.as_millis(),
                signed(new.row_version),
            ];
            transaction
                .prepare_cached(&sql)
                .and_then(|mut insert| insert.execute(values))
                .map_err(store_error)?;
            change::start_chain(transaction, new.organization_id)?;
            change::write(transaction, &change)
        })
        .await
    }

    async fn find(&self, organization: OrganizationId) -> Result<Option<Organization>, StoreError> {
        let sql = format!("SELECT {ORGANIZATION} FROM organizations WHERE organization_id = ?1");
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
            query
                .query_row([organization.0], rows::organization)
                .optional()
                .map_err(store_error)
        })
        .await
    }

    async fn find_by_slug(&self, slug: &str) -> Result<Option<Organization>, StoreError> {
        let (slug, sql) = (
            slug.to_owned(),
            format!("SELECT {ORGANIZATION} FROM organizations WHERE slug = ?1"),
        );
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
            query
                .query_row([slug], rows::organization)
                .optional()
                .map_err(store_error)
        })
        .await
    }
}
