//! The audit log: appending, and reading the chain.

use domain::audit::{ChainHead, Hash};
use domain::ports::Conflict;
use domain::{Action, AgentId, AuditEvent, AuditRecord, EventId, JsonText, OrganizationId, Origin, Outcome, Timestamp};

use super::world::{Tenant, assert_conflict_changes_nothing, assert_not_found, at, uuid};
use crate::Stores;

pub async fn a_chain_starts_empty(stores: &Stores) {
    let nobody = OrganizationId(uuid());
    let trail = &stores.audit_trail;
    assert_eq!(trail.head(nobody).await.expect("the store answers"), ChainHead::EMPTY);
    assert_eq!(trail.range(nobody, 0, 100).await.expect("the store answers"), []);
}

pub async fn events_follow_from_each_other(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for _ in 0..3 {
        tenant.append(vec![tenant.record(Action::TokenIssued)]).await;
    }
    let events = tenant.events().await;
    assert_eq!(
        events.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(events[0].previous_hash, Hash::ZERO);
}

pub async fn an_event_holds_what_was_recorded(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let record = AuditRecord {
        agent_id: Some(AgentId(uuid())),
        outcome: Outcome::Failure,
        origin: Origin {
            ip_address: Some("2001:db8::1%eth0".to_owned()),
            user_agent: Some("Ünïcode/1.0 ('quoted'; \"twice\") \\ 🦀".to_owned()),
        },
        ..tenant.record(Action::AuthFailed)
    };
    tenant.append(vec![record.clone()]).await;
    let event = last(&tenant).await;
    assert_eq!(recorded(&event), record);
    let found = stores.audit_trail.find(tenant.id(), record.event_id).await;
    assert_eq!(found.expect("the store answers"), Some(event));
}

pub async fn nothing_and_an_empty_text_are_different(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let (none, empty) = (None, Some(String::new()));
    for (ip_address, user_agent) in [
        (none.clone(), none.clone()),
        (empty.clone(), none.clone()),
        (none, empty),
    ] {
        let record = AuditRecord {
            origin: Origin { ip_address, user_agent },
            ..tenant.record(Action::TokenIssued)
        };
        tenant.append(vec![record.clone()]).await;
        assert_eq!(recorded(&last(&tenant).await), record);
    }
}

pub async fn every_action_and_outcome_comes_back(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut records = Vec::new();
    for action in Action::ALL {
        for outcome in Outcome::ALL {
            records.push(AuditRecord {
                outcome: *outcome,
                ..tenant.record(*action)
            });
        }
    }
    tenant.append(records.clone()).await;
    assert_eq!(
        tenant.events().await[1..].iter().map(recorded).collect::<Vec<_>>(),
        records
    );
}

pub async fn an_empty_batch_changes_nothing(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let before = tenant.snapshot().await;
    tenant.append(Vec::new()).await;
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn a_batch_for_several_organizations_keeps_its_order(stores: &Stores) {
    let (one, two) = (Tenant::new(stores).await, Tenant::new(stores).await);
    let records: Vec<AuditRecord> = (0..20)
        .map(|index| [&one, &two][usize::from(index % 3 == 0)].record(Action::TokenIssued))
        .collect();
    one.append(records.clone()).await;
    for tenant in [one, two] {
        let expected = records.iter().filter(|record| record.organization_id == tenant.id());
        let events = tenant.events().await;
        assert!(events[1..].iter().map(recorded).eq(expected.cloned()));
    }
}

pub async fn a_large_batch_is_one_chain(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    tenant
        .append((0..1000).map(|_| tenant.record(Action::TokenIssued)).collect())
        .await;
    assert_eq!(tenant.events().await.len(), 1001);
}

pub async fn an_event_id_is_taken_only_once(stores: &Stores) {
    let (tenant, other) = (Tenant::new(stores).await, Tenant::new(stores).await);
    let record = tenant.record(Action::TokenIssued);
    tenant.append(vec![record.clone()]).await;
    let elsewhere = AuditRecord {
        event_id: record.event_id,
        ..other.record(Action::TokenRevoked)
    };
    let first = tenant.record(Action::TokenIssued);
    for batch in [
        vec![record.clone()],
        vec![first.clone(), record.clone()],
        vec![record, first],
        vec![other.record(Action::TokenIssued), elsewhere],
    ] {
        let append = stores.audit_trail.append(batch);
        assert_conflict_changes_nothing(&[&tenant, &other], append, Conflict::AuditEvent).await;
    }
}

pub async fn an_event_id_twice_in_a_batch_is_refused(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let (first, second) = (tenant.record(Action::TokenIssued), tenant.record(Action::TokenIssued));
    let append = stores.audit_trail.append(vec![first.clone(), second, first]);
    assert_conflict_changes_nothing(&[&tenant], append, Conflict::AuditEvent).await;
}

pub async fn metadata_comes_back_byte_for_byte(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for text in [
        "{}",
        "{ }",
        r#"{"b": 1,  "a":[1.0, 1e2, -0, 1E+400],"b":2}"#,
        "{\n\t\"a\" :\r\n null }\n",
        r#"{"a":"\u0000 \ud800 \u00e4 \/ é"}"#,
        r#"{"big":123456789012345678901234567890.10,"exp":1e999}"#,
        "{\"umlaut\":\"ä\u{0308}\u{feff}\u{200b}🦀\"}",
        r#"{"quote":"it's \"x\" \\ %_ $1 $$"}"#,
    ] {
        let record = AuditRecord {
            metadata: JsonText::from_stored(text.to_owned()),
            ..tenant.record(Action::KeyRotated)
        };
        tenant.append(vec![record]).await;
        assert_eq!(last(&tenant).await.metadata.as_str(), text);
    }
}

pub async fn large_metadata_comes_back(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let value = "0123456789 äöü 🦀 ".repeat(5000);
    let metadata = JsonText::object(&[("value", &value)]);
    assert!(metadata.as_str().len() > 100 << 10);
    tenant
        .append(vec![AuditRecord {
            metadata: metadata.clone(),
            ..tenant.record(Action::TokenIssued)
        }])
        .await;
    assert_eq!(last(&tenant).await.metadata, metadata);
}

pub async fn times_of_events_come_back(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for millis in [253_402_300_799_999, 1, 0, -1, -62_135_596_799_999] {
        let timestamp = Timestamp::from_millis(millis);
        tenant
            .append(vec![AuditRecord {
                timestamp,
                ..tenant.record(Action::TokenIssued)
            }])
            .await;
        assert_eq!(last(&tenant).await.timestamp, timestamp);
    }
}

pub async fn an_append_to_an_unknown_organization_is_refused(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let before = tenant.events().await;
    let stray = AuditRecord {
        organization_id: OrganizationId(uuid()),
        ..tenant.record(Action::TokenIssued)
    };
    let records = vec![tenant.record(Action::TokenIssued), stray];
    assert_not_found(stores.audit_trail.append(records).await);
    assert_eq!(tenant.events().await, before);
}

pub async fn an_unknown_event_is_not_found(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let found = stores.audit_trail.find(tenant.id(), EventId(uuid())).await;
    assert_eq!(found.expect("the store answers"), None);
}

pub async fn a_range_starts_after_and_ends_at_its_limit(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    tenant
        .append(
            (0..9)
                .map(|index| AuditRecord {
                    timestamp: at(-index),
                    ..tenant.record(Action::TokenIssued)
                })
                .collect(),
        )
        .await;
    for (after, limit, expected) in [
        (0, 3, vec![1, 2, 3]),
        (3, 2, vec![4, 5]),
        (8, 100, vec![9, 10]),
        (9, u32::MAX, vec![10]),
        (10, 100, vec![]),
        (0, 0, vec![]),
        (11, 5, vec![]),
        (u64::MAX, 5, vec![]),
    ] {
        let events = stores
            .audit_trail
            .range(tenant.id(), after, limit)
            .await
            .expect("the store answers");
        let sequences: Vec<u64> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(sequences, expected, "after {after}, at most {limit}");
    }
}

/// The record that an event was made of.
pub(super) fn recorded(event: &AuditEvent) -> AuditRecord {
    AuditRecord {
        event_id: event.event_id,
        organization_id: event.organization_id,
        agent_id: event.agent_id,
        action: event.action.known().expect("it was recorded by us"),
        outcome: event.outcome.known().expect("it was recorded by us"),
        origin: Origin {
            ip_address: event.ip_address.clone(),
            user_agent: event.user_agent.clone(),
        },
        metadata: event.metadata.clone(),
        timestamp: event.timestamp,
    }
}

async fn last(tenant: &Tenant) -> AuditEvent {
    tenant.events().await.pop().expect("there is an event")
}
