//! Who can write the file can change a row; the chain then names the event.

use domain::audit::{ChainHead, ChainVerifier, Verdict};
use domain::ports::StoreError;
use domain::{Action, AuditEvent, AuditFilter, Page, Timestamp};
use rusqlite::{Connection, params};
use storage::conformance::world::Tenant;
use storage::{Execution, Stores};

use super::{Place, open};

async fn verdict(stores: &Stores, tenant: &Tenant) -> Verdict {
    let events = stores
        .audit_trail
        .range(tenant.id(), 0, 100)
        .await
        .expect("rows are read as far as possible");
    let mut verifier = ChainVerifier::from_start();
    events.iter().for_each(|event| {
        verifier.check(event);
    });
    verifier.verdict()
}

#[tokio::test]
async fn the_chain_names_a_row_that_was_changed_or_removed() {
    let place = Place::new();
    let stores = open(&place.path(), Execution::Threads);
    let tenants = [Tenant::new(&stores).await, Tenant::new(&stores).await];
    let tenant = &tenants[0];
    for _ in 0..4 {
        tenant.append(vec![tenant.record(Action::TokenIssued)]).await;
    }
    let events = tenant.events().await;
    let raw = Connection::open(place.path()).expect("the file is there");
    for attempt in [
        "UPDATE audit_events SET outcome = 'failure'",
        "DELETE FROM audit_events",
    ] {
        let refusal = raw.execute_batch(attempt).expect_err("a trigger forbids it");
        assert!(refusal.to_string().contains("append only"), "{refusal}");
    }
    assert_eq!(verdict(&stores, tenant).await, Verdict::Whole { checked: 5 });
    raw.execute_batch("DROP TRIGGER audit_events_no_update; DROP TRIGGER audit_events_no_delete")
        .expect("the triggers are there");
    let of_event = params![tenant.id().0, 3];
    let changed = raw.execute(
        "UPDATE audit_events SET metadata = '{oops' WHERE organization_id = ?1 AND sequence = ?2",
        of_event,
    );
    assert_eq!(changed.expect("plain SQL"), 1);
    let broken = |checked: u64, at: usize| Verdict::Broken {
        checked,
        at: events[at].event_id,
    };
    assert_eq!(verdict(&stores, tenant).await, broken(2, 2));
    let removed = raw.execute(
        "DELETE FROM audit_events WHERE organization_id = ?1 AND sequence = ?2",
        of_event,
    );
    assert_eq!(removed.expect("plain SQL"), 1);
    assert_eq!(verdict(&stores, tenant).await, broken(2, 3));
    tenants[1].events().await;
    stores.close().await;
}

#[tokio::test]
async fn an_action_that_is_no_name_made_the_log_unreadable() {
    let place = Place::new();
    let stores = open(&place.path(), Execution::Threads);
    let tenant = Tenant::new(&stores).await;
    for _ in 0..4 {
        tenant.append(vec![tenant.record(Action::TokenIssued)]).await;
    }
    let raw = Connection::open(place.path()).expect("the file is there");
    raw.execute_batch("DROP TRIGGER audit_events_no_update")
        .expect("the trigger is there");
    // Whatever SQLite takes: names that nobody knows, bytes that are no UTF-8, and blobs and numbers of any size.
    for (column, value) in [
        ("action", "'agent.forgiven'"),
        ("action", "CAST(X'FF00' AS TEXT)"),
        ("outcome", "''"),
        ("user_agent", "CAST(X'C3' AS TEXT)"),
        ("agent_id", "X'00'"),
        ("hash", "X''"),
        ("previous_hash", "zeroblob(33)"),
        ("timestamp", "-9223372036854775808"),
        ("metadata", "CAST(X'FF' AS TEXT)"),
    ] {
        let before = tenant.events().await;
        raw.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM audit_events WHERE sequence = 3")
            .expect("plain SQL");
        let change = |value: &str| {
            let sql = format!("UPDATE audit_events SET {column} = {value} WHERE sequence = 3");
            raw.execute(&sql, []).expect("plain SQL")
        };
        assert_eq!(change(value), 1);
        let broken = Verdict::Broken {
            checked: 2,
            at: before[2].event_id,
        };
        assert_eq!(verdict(&stores, &tenant).await, broken, "{column}");
        let everything = AuditFilter::default();
        let listed = stores.audit_trail.list(tenant.id(), &everything, Page::default());
        assert_eq!(listed.await.expect("the list is there").data.len(), 5, "{column}");
        change(&format!("(SELECT {column} FROM kept)"));
        raw.execute_batch("DROP TABLE kept").expect("plain SQL");
        assert_eq!(tenant.events().await, before, "what is put back verifies again");
    }
    raw.execute(
        "UPDATE audit_events SET action = 'agent.forgiven' WHERE sequence = 3",
        [],
    )
    .expect("plain SQL");
    let found = stores.audit_trail.range(tenant.id(), 2, 1).await.expect("readable");
    assert_eq!(
        (found[0].action.as_str(), found[0].action.known()),
        ("agent.forgiven", None)
    );
    stores.close().await;
}

#[tokio::test]
async fn an_event_before_the_first_is_named() {
    let place = Place::new();
    let stores = open(&place.path(), Execution::Threads);
    let tenant = Tenant::new(&stores).await;
    let event = foreign(&tenant, ChainHead::EMPTY);
    insert(&place, &event, -7);
    let broken = Verdict::Broken {
        checked: 0,
        at: event.event_id,
    };
    assert_eq!(verdict(&stores, &tenant).await, broken);
    stores.close().await;
}

#[tokio::test]
async fn an_event_behind_the_head_made_every_append_fail_as_if_it_were_a_bug() {
    let place = Place::new();
    let stores = open(&place.path(), Execution::Threads);
    let (victim, other) = (Tenant::new(&stores).await, Tenant::new(&stores).await);
    let head = stores.audit_trail.head(victim.id()).await.expect("the store answers");
    let event = foreign(&victim, head);
    insert(&place, &event, i64::try_from(event.sequence).expect("small"));
    let snapshot = other.snapshot().await;
    let batch = vec![other.record(Action::TokenIssued), victim.record(Action::TokenIssued)];
    let refused = stores.audit_trail.append(batch).await.expect_err("the place is taken");
    assert!(
        matches!(refused, StoreError::CorruptChain(chain) if chain == victim.id()),
        "{refused}"
    );
    let agent = victim.agent();
    let change = victim.change(Action::AgentCreated);
    let refused = stores
        .agents
        .register(&agent, &change)
        .await
        .expect_err("no record, no row");
    assert!(matches!(refused, StoreError::CorruptChain(chain) if chain == victim.id()));
    assert_eq!(other.snapshot().await, snapshot, "a batch is whole or not at all");
    other.append(vec![other.record(Action::TokenIssued)]).await;
    // Once the event is gone, the organization goes on.
    let raw = Connection::open(place.path()).expect("the file is there");
    raw.execute_batch("DROP TRIGGER audit_events_no_delete")
        .expect("it is there");
    raw.execute("DELETE FROM audit_events WHERE event_id = ?1", [event.event_id.0])
        .expect("plain SQL");
    victim.append(vec![victim.record(Action::TokenIssued)]).await;
    victim.register(&agent).await;
    stores.close().await;
}

/// An event that follows from the head in every way, but of which the head does not know.
fn foreign(tenant: &Tenant, mut head: ChainHead) -> AuditEvent {
    let mut record = tenant.record(Action::TokenIssued);
    record.timestamp = Timestamp::from_millis(1_700_000_000_000);
    head.append(record)
}

fn insert(place: &Place, event: &AuditEvent, sequence: i64) {
    let raw = Connection::open(place.path()).expect("the file is there");
    let values = params![
        event.organization_id.0,
        sequence,
        event.event_id.0,
        event.timestamp.as_millis(),
        event.action.as_str(),
        event.outcome.as_str(),
        event.ip_address,
        event.user_agent,
        event.metadata.as_str(),
        event.previous_hash.0,
        event.hash.0,
    ];
    let inserted = raw.execute(
        "INSERT INTO audit_events (organization_id, sequence, event_id, timestamp, action, outcome, ip_address, user_agent,
         metadata, previous_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        values,
    );
    assert_eq!(inserted.expect("plain SQL"), 1);
}
