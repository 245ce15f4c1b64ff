//! Who can write the file can change a row; the chain then names the event.

use domain::Action;
use domain::audit::{ChainVerifier, Verdict};
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
