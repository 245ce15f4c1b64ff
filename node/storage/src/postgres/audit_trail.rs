//! The audit log in PostgreSQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::audit::ChainHead;
use domain::ports::{AuditTrail, StoreError};
use domain::{AuditEvent, AuditFilter, AuditRecord, EventId, OrganizationId, Page, PageOf};
use tokio_postgres::types::ToSql;

use super::change::{self, LOCK_HEAD, Links};
use super::connection::Step;
use super::error::Failure;
use super::rows::{self, audit_event_columns, signed};
use super::session::{Binding, Session};
use super::store::PostgresStore;
use super::time::Time;
use crate::audit_page;

/// What a filter matches, whatever the cursor; a value that is NULL does not matter.
macro_rules! matching {
    () => {
        " FROM audit_events WHERE organization_id = $1 AND ($2::uuid IS NULL OR agent_id = $2)
            AND ($3::text IS NULL OR action = $3) AND ($4::text IS NULL OR outcome = $4)
            AND ($5::timestamptz IS NULL OR occurred_at >= $5) AND ($6::timestamptz IS NULL OR occurred_at <= $6)"
    };
}
const COUNT: &str = concat!("SELECT count(*)", matching!());
/// The sequences have no gaps, so a whole log need not be counted row by row.
const EXTENT: &str =
    "SELECT coalesce(max(sequence) - min(sequence) + 1, 0) FROM audit_events WHERE organization_id = $1";
const LIST: &str = concat!(
    "SELECT ",
    audit_event_columns!(),
    matching!(),
    " AND ($7::bigint IS NULL OR sequence < $7) ORDER BY sequence DESC LIMIT $8 OFFSET $9"
);
const FIND: &str = concat!(
    "SELECT ",
    audit_event_columns!(),
    " FROM audit_events WHERE event_id = $1 AND organization_id = $2"
);
const RANGE: &str = concat!(
    "SELECT ",
    audit_event_columns!(),
    " FROM audit_events WHERE organization_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"
);
const HEAD: &str = "SELECT sequence, hash FROM audit_heads WHERE organization_id = $1";

#[async_trait]
impl AuditTrail for PostgresStore {
    async fn append(&self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        // In order of their ids, so that two transactions never wait for each other's chains.
        let mut chains: BTreeMap<OrganizationId, Vec<AuditRecord>> = BTreeMap::new();
        for record in records {
            chains.entry(record.organization_id).or_default().push(record);
        }
        if chains.is_empty() {
            return Ok(());
        }
        let chains = &chains;
        self.attempt(|mut session| async move { append(&mut session, chains).await })
            .await
    }

    async fn list(
        &self,
        organization: OrganizationId,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<PageOf<AuditEvent>, StoreError> {
        audit_page::check(filter, page)?;
        let agent = filter.agent_id.map(|agent| agent.0);
        let (action, outcome) = (
            filter.action.map(|it| it.as_str()),
            filter.outcome.map(|it| it.as_str()),
        );
        let (from, to) = (filter.from.map(Time), filter.to.map(Time));
        let (before, limit, offset) = (
            filter.before_sequence.map(signed),
            i64::from(page.limit()),
            signed(page.offset()),
        );
        self.attempt(|mut session| async move {
            let values: [&(dyn ToSql + Sync); 9] = [
                &organization.0,
                &agent,
                &action,
                &outcome,
                &from,
                &to,
                &before,
                &limit,
                &offset,
            ];
            let count = if audit_page::is_whole_log(filter) {
                Step(EXTENT, &values[..1])
            } else {
                Step(COUNT, &values[..6])
            };
            let steps = [count, Step(LIST, &values)];
            let answers = session.read(&Binding::Organization(organization), &steps).await?;
            rows::page(&answers, rows::audit_event, page).map_err(Failure::from)
        })
        .await
    }

    async fn find(&self, organization: OrganizationId, event: EventId) -> Result<Option<AuditEvent>, StoreError> {
        self.attempt(|mut session| async move {
            let step = Step(FIND, &[&event.0, &organization.0]);
            let answers = session.read(&Binding::Organization(organization), &[step]).await?;
            Ok(rows::optional(&answers[0], rows::audit_event)?)
        })
        .await
    }

    async fn range(&self, organization: OrganizationId, after: u64, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        // From the very beginning, since somebody may have put an event before the first.
        let after = if after == 0 { i64::MIN } else { signed(after) };
        let limit = i64::from(limit);
        self.attempt(|mut session| async move {
            let step = Step(RANGE, &[&organization.0, &after, &limit]);
            let answers = session.read(&Binding::Organization(organization), &[step]).await?;
            Ok(rows::all(&answers[0], rows::audit_event)?)
        })
        .await
    }

    async fn head(&self, organization: OrganizationId) -> Result<ChainHead, StoreError> {
        self.attempt(|mut session| async move {
            let step = Step(HEAD, &[&organization.0]);
            let answers = session.read(&Binding::Organization(organization), &[step]).await?;
            Ok(rows::optional(&answers[0], rows::chain_head)?.unwrap_or(ChainHead::EMPTY))
        })
        .await
    }
}

/// Two round trips, however many chains: lock all heads; insert all events, move all heads, commit.
async fn append(session: &mut Session, chains: &BTreeMap<OrganizationId, Vec<AuditRecord>>) -> Result<(), Failure> {
    let bindings: Vec<(Binding, String)> = chains
        .keys()
        .map(|id| Binding::Organization(*id))
        .map(|binding| (binding.clone(), binding.value()))
        .collect();
    let bound: Vec<[&(dyn ToSql + Sync); 1]> = bindings.iter().map(|(_, value)| [value as _]).collect();
    let keys: Vec<[&(dyn ToSql + Sync); 1]> = chains.keys().map(|id| [&id.0 as _]).collect();
    let bind = |position: usize| Step(bindings[position].0.sql(), &bound[position]);

    let locking: Vec<Step<'_>> = (0..keys.len())
        .flat_map(|at| [bind(at), Step(LOCK_HEAD, &keys[at])])
        .collect();
    let answers = session.begin(&bindings[0].0, &locking).await?;
    let mut links = Vec::with_capacity(chains.len());
    for ((organization, records), head) in chains.iter().zip(answers.iter().skip(1).step_by(2)) {
        let Some(mut head) = rows::optional(head, rows::chain_head)? else {
            return Err(session.refuse(StoreError::NotFound).await);
        };
        links.push(Links::append(*organization, &mut head, records.iter().cloned()));
    }
    let values: Vec<_> = links
        .iter()
        .map(|links| (links.values(), links.head_values()))
        .collect();
    let writing: Vec<Step<'_>> = (0..links.len())
        .flat_map(|at| {
            let [insert, advance] = Links::STATEMENTS;
            [bind(at), Step(insert, &values[at].0), Step(advance, &values[at].1)]
        })
        .collect();
    match session.commit(&writing).await {
        Ok(_) => Ok(()),
        Err(failure) => {
            let organizations: Vec<OrganizationId> = chains.keys().copied().collect();
            Err(change::name_chain(session, &organizations, failure).await)
        }
    }
}
