//! The audit log in the embedded store.

use async_trait::async_trait;
use domain::audit::ChainHead;
use domain::ports::{AuditTrail, StoreError};
use domain::{AuditEvent, AuditFilter, AuditRecord, EventId, OrganizationId, Page, PageOf, Timestamp};
use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::change::{self, signed};
use super::error::store_error;
use super::key_page::page_of_keys;
use super::rows::{self, AUDIT_EVENT};
use super::store::EmbeddedStore;
use crate::audit_page;

/// Where events are sought, whoever caused them.
const ALL: &str = "audit_events WHERE organization_id = :organization";
/// Where the events of one agent are sought: in each block of the log by its index, see schema.sql.
const OF_AGENT: &str = "(
        WITH RECURSIVE blocks (block) AS (
            SELECT max(sequence) / 256 FROM audit_events WHERE organization_id = :organization
            UNION ALL
            SELECT block - 1 FROM blocks
            WHERE block > (SELECT min(sequence) / 256 FROM audit_events WHERE organization_id = :organization)
        )
        SELECT block FROM blocks
    ) CROSS JOIN audit_events INDEXED BY audit_events_of_agent
    WHERE organization_id = :organization AND sequence / 256 = block AND agent_id = :agent";
/// What else a filter matches, whatever the cursor; a parameter that is NULL does not matter.
const MATCHES: &str = "(:agent IS NULL OR agent_id = :agent)
    AND (:action IS NULL OR action = :action)
    AND (:outcome IS NULL OR outcome = :outcome)
    AND (:from IS NULL OR timestamp >= :from)
    AND (:to IS NULL OR timestamp <= :to)";

#[async_trait]
impl AuditTrail for EmbeddedStore {
    async fn append(&self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        self.write(move |transaction| change::append(transaction, records))
            .await
    }

    async fn list(
        &self,
        organization: OrganizationId,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<PageOf<AuditEvent>, StoreError> {
        audit_page::check(filter, page)?;
        let filter = filter.clone();
        self.search(move |connection| list(connection, organization, &filter, page))
            .await
    }

    async fn find(&self, organization: OrganizationId, event: EventId) -> Result<Option<AuditEvent>, StoreError> {
        let sql = format!("SELECT {AUDIT_EVENT} FROM audit_events WHERE event_id = ?1 AND organization_id = ?2");
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
            query
                .query_row([event.0, organization.0], rows::audit_event)
                .optional()
                .map_err(store_error)
        })
        .await
    }

    async fn range(&self, organization: OrganizationId, after: u64, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        let sql = format!(
            "SELECT {AUDIT_EVENT} FROM audit_events WHERE organization_id = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
        );
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
            // From the very beginning, since somebody may have put an event before the first.
            let after = if after == 0 { i64::MIN } else { signed(after) };
            let events = query.query_map(params![organization.0, after, limit], rows::audit_event);
            events.and_then(Iterator::collect).map_err(store_error)
        })
        .await
    }

    async fn head(&self, organization: OrganizationId) -> Result<ChainHead, StoreError> {
        let head = self
            .read(move |connection| change::head(connection, organization))
            .await?;
        Ok(head.unwrap_or(ChainHead::EMPTY))
    }
}

/// How many events there are. The sequences have no gaps, so they need not be counted one by one.
fn extent(connection: &Connection, organization: OrganizationId) -> Result<u64, StoreError> {
    let end = |order: &str| {
        let sql =
            format!("SELECT sequence FROM audit_events WHERE organization_id = ?1 ORDER BY sequence {order} LIMIT 1");
        let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
        let found = query.query_row([organization.0], |row| row.get::<_, i64>(0));
        found.optional().map_err(store_error)
    };
    Ok(end("DESC")?
        .zip(end("ASC")?)
        .map_or(0, |(last, first)| last.abs_diff(first).saturating_add(1)))
}

fn list(
    connection: &Connection,
    organization: OrganizationId,
    filter: &AuditFilter,
    page: Page,
) -> Result<PageOf<AuditEvent>, StoreError> {
    let (data, total) = match audit_page::is_whole_log(filter) {
        true => (
            newest(connection, organization, filter, page)?,
            extent(connection, organization)?,
        ),
        false => search(connection, organization, filter, page)?,
    };
    Ok(PageOf {
        data,
        total,
        page: page.number(),
        limit: page.limit(),
    })
}

/// A page of the whole log.
fn newest(
    connection: &Connection,
    organization: OrganizationId,
    filter: &AuditFilter,
    page: Page,
) -> Result<Vec<AuditEvent>, StoreError> {
    let sql = format!(
        "SELECT {AUDIT_EVENT} FROM audit_events WHERE organization_id = ?1 AND (?2 IS NULL OR sequence < ?2)
         ORDER BY sequence DESC LIMIT ?3 OFFSET ?4"
    );
    let (before, offset) = (filter.before_sequence.map(signed), signed(page.offset()));
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    query
        .query_map(params![organization.0, before, page.limit(), offset], rows::audit_event)
        .and_then(Iterator::collect)
        .map_err(store_error)
}

/// A page of what matches, and how much that is.
fn search(
    connection: &Connection,
    organization: OrganizationId,
    filter: &AuditFilter,
    page: Page,
) -> Result<(Vec<AuditEvent>, u64), StoreError> {
    let (action, outcome) = (
        filter.action.map(|value| value.as_str()),
        filter.outcome.map(|value| value.as_str()),
    );
    let (from, to) = (
        filter.from.map(Timestamp::as_millis),
        filter.to.map(Timestamp::as_millis),
    );
    let agent = filter.agent_id.map(|id| id.0);
    let matching = named_params! {
        ":organization": organization.0, ":agent": agent, ":action": action, ":outcome": outcome, ":from": from, ":to": to,
    };
    let source = if agent.is_some() { OF_AGENT } else { ALL };
    let sql = format!("SELECT sequence FROM {source} AND {MATCHES} ORDER BY sequence DESC");
    let before = filter.before_sequence.map_or(i64::MAX, signed);
    let (total, on_page) = connection
        .prepare_cached(&sql)
        .and_then(|mut query| {
            let sequences = query.query_and_then(matching, |row| row.get(0))?;
            page_of_keys(sequences, page, |sequence: &i64| *sequence < before)
        })
        .map_err(store_error)?;
    let sql = format!("SELECT {AUDIT_EVENT} FROM audit_events WHERE organization_id = ?1 AND sequence = ?2");
    let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
    let events = on_page
        .into_iter()
        .map(|sequence| query.query_row(params![organization.0, sequence], rows::audit_event));
    Ok((events.collect::<Result<_, _>>().map_err(store_error)?, total))
}
