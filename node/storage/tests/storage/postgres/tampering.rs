//! The audit log refuses changes; who owns the tables can still force one, and the chain then names the event.

use domain::audit::{ChainVerifier, Verdict};
use domain::ports::StoreError;
use domain::{Action, AuditFilter, Page};
use storage::Stores;
use storage::conformance::world::Tenant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::server::{Database, fresh};

/// An organization with five events, and its owner's connection, bound to it.
async fn set_up(test: &str) -> Option<(Database, Stores, Tenant, Client)> {
    let database = fresh(test).await?;
    let stores = database.stores().await;
    let tenant = Tenant::new(&stores).await;
    for _ in 0..4 {
        tenant.append(vec![tenant.record(Action::TokenIssued)]).await;
    }
    let owner = database.owner().await;
    let bind = format!("SET app.organization_id = '{}'", tenant.id());
    owner.batch_execute(&bind).await.expect("a setting");
    Some((database, stores, tenant, owner))
}

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
async fn the_owner_of_the_tables_can_not_just_change_the_log() {
    let Some((_database, stores, tenant, owner)) = set_up("the_owner_of_the_tables_can_not_just_change_the_log").await
    else {
        return;
    };
    for sql in [
        "UPDATE audit_events SET outcome = 'failure'",
        "UPDATE audit_events SET outcome = 'failure' WHERE false",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
        "UPDATE audit_heads SET sequence = sequence - 1",
        "UPDATE audit_heads SET hash = decode(repeat('00', 32), 'hex')",
    ] {
        let error = owner.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code(), Some(&SqlState::RESTRICT_VIOLATION), "{sql}: {error:?}");
    }
    assert_eq!(verdict(&stores, &tenant).await, Verdict::Whole { checked: 5 });
}

#[tokio::test]
async fn the_chain_names_a_row_that_was_changed_or_removed() {
    let Some((_database, stores, tenant, owner)) = set_up("the_chain_names_a_row_that_was_changed_or_removed").await
    else {
        return;
    };
    let events = tenant.events().await;
    let disable = "ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only";
    owner.batch_execute(disable).await.expect("the owner can");
    // The last one means the same JSON, in other bytes.
    for (column, value) in [
        ("outcome", "'failure'"),
        ("agent_id", "gen_random_uuid()"),
        ("occurred_at", "occurred_at + interval '1 millisecond'"),
        ("metadata", r#"'{"scope": "agents:read"}'"#),
    ] {
        let changed = owner
            .execute(
                &format!("UPDATE audit_events SET {column} = {value} WHERE sequence = 3"),
                &[],
            )
            .await;
        assert_eq!(changed.expect("nothing forbids it any more"), 1);
        let broken = Verdict::Broken {
            checked: 2,
            at: events[2].event_id,
        };
        assert_eq!(verdict(&stores, &tenant).await, broken, "{column}");
        let before = &events[2];
        let restore = "UPDATE audit_events SET outcome = 'success', agent_id = NULL, metadata = $1::text::json,
            occurred_at = to_timestamp($2::bigint / 1000.0) WHERE sequence = 3";
        let restored = owner
            .execute(restore, &[&before.metadata.as_str(), &before.timestamp.as_millis()])
            .await;
        assert_eq!(restored.expect("nothing forbids it"), 1);
        assert_eq!(verdict(&stores, &tenant).await, Verdict::Whole { checked: 5 });
    }
    owner
        .batch_execute("DELETE FROM audit_events WHERE sequence = 3")
        .await
        .expect("nothing forbids it");
    assert_eq!(
        verdict(&stores, &tenant).await,
        Verdict::Broken {
            checked: 2,
            at: events[3].event_id
        }
    );
}

#[tokio::test]
async fn an_action_that_is_no_name_made_the_log_unreadable() {
    let Some((_database, stores, tenant, owner)) = set_up("an_action_that_is_no_name_made_the_log_unreadable").await
    else {
        return;
    };
    let before = tenant.events().await;
    let disable = "ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only;
        ALTER TABLE audit_events DROP CONSTRAINT audit_events_outcome_check, DROP CONSTRAINT audit_events_hash_check,
            DROP CONSTRAINT audit_events_previous_hash_check;
        CREATE TEMP TABLE kept AS SELECT * FROM audit_events WHERE sequence = 3";
    owner.batch_execute(disable).await.expect("the owner can");
    for (column, value) in [
        ("action", "'agent.forgiven'"),
        ("outcome", "''"),
        ("occurred_at", "'infinity'"),
        ("occurred_at", "'-infinity'"),
        ("hash", "''"),
        ("previous_hash", "decode(repeat('00', 33), 'hex')"),
    ] {
        let change = async |value: &str| {
            let sql = format!("UPDATE audit_events SET {column} = {value} WHERE sequence = 3");
            owner.execute(&sql, &[]).await.expect("nothing forbids it any more")
        };
        assert_eq!(change(value).await, 1);
        let broken = Verdict::Broken {
            checked: 2,
            at: before[2].event_id,
        };
        assert_eq!(verdict(&stores, &tenant).await, broken, "{column}");
        let everything = AuditFilter::default();
        let listed = stores.audit_trail.list(tenant.id(), &everything, Page::default());
        assert_eq!(listed.await.expect("the list is there").data.len(), 5, "{column}");
        change(&format!("(SELECT {column} FROM kept)")).await;
        assert_eq!(tenant.events().await, before, "what is put back verifies again");
    }
}

#[tokio::test]
async fn an_event_behind_the_head_made_every_append_fail_as_if_it_were_a_bug() {
    let Some((_database, stores, victim, owner)) =
        set_up("an_event_behind_the_head_made_every_append_fail_as_if_it_were_a_bug").await
    else {
        return;
    };
    let mut head = stores.audit_trail.head(victim.id()).await.expect("the store answers");
    let event = head.append(victim.record(Action::TokenIssued));
    let insert =
        "INSERT INTO audit_events (organization_id, sequence, event_id, occurred_at, agent_id, action, outcome,
            ip_address, user_agent, metadata, previous_hash, hash)
        SELECT organization_id, $1, $2, occurred_at, agent_id, action, outcome, ip_address, user_agent, metadata, $3, $4
        FROM audit_events WHERE sequence = 5";
    let inserted = owner
        .execute(
            insert,
            &[
                &i64::try_from(event.sequence).expect("small"),
                &event.event_id.0,
                &event.previous_hash.0.as_slice(),
                &event.hash.0.as_slice(),
            ],
        )
        .await;
    assert_eq!(inserted.expect("whoever owns the tables may"), 1);
    let others = [Tenant::new(&stores).await, Tenant::new(&stores).await];
    let mut batch = vec![victim.record(Action::TokenIssued)];
    batch.extend(others.iter().map(|other| other.record(Action::TokenIssued)));
    let refused = stores.audit_trail.append(batch).await.expect_err("the place is taken");
    assert!(
        matches!(refused, StoreError::CorruptChain(chain) if chain == victim.id()),
        "{refused}"
    );
    let change = victim.change(Action::AgentCreated);
    let agent = victim.agent();
    let refused = stores
        .agents
        .register(&agent, &change)
        .await
        .expect_err("no record, no row");
    assert!(matches!(refused, StoreError::CorruptChain(chain) if chain == victim.id()));
    for other in &others {
        assert_eq!(other.events().await.len(), 1, "a batch is whole or not at all");
        other.append(vec![other.record(Action::TokenIssued)]).await;
    }
    // Once the event is gone, the organization goes on.
    let disable = "ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only";
    owner.batch_execute(disable).await.expect("the owner can");
    owner
        .execute("DELETE FROM audit_events WHERE event_id = $1", &[&event.event_id.0])
        .await
        .expect("nothing forbids it");
    victim.append(vec![victim.record(Action::TokenIssued)]).await;
    victim.register(&agent).await;
}
