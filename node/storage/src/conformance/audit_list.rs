//! Lists of audit events: their order, pages, filters and the cursor.

use domain::ports::StoreError;
use domain::{Action, AgentId, AuditEvent, AuditFilter, AuditRecord, Outcome, Page, PageOf};

use super::world::{Tenant, at, page, uuid, whole};
use crate::Stores;

pub async fn events_come_newest_first_by_sequence(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    // Clocks go back; the order of the log is that of its chain.
    let records = [5, -9, 7, 0].map(|millis| AuditRecord {
        timestamp: at(millis),
        ..tenant.record(Action::TokenIssued)
    });
    tenant.append(records.to_vec()).await;
    let listed = list(stores, &tenant, &AuditFilter::default(), whole()).await;
    let mut expected = tenant.events().await;
    expected.reverse();
    assert_eq!((listed.data, listed.total, listed.page), (expected, 5, 1));
}

pub async fn pages_of_events_cover_the_log(stores: &Stores) {
    let tenant = log_of(stores, 7).await;
    let mut seen = Vec::new();
    for (number, entries) in [(1, 3), (2, 3), (3, 1), (4, 0), (100_000, 0)] {
        let part = list(stores, &tenant, &AuditFilter::default(), page(number, 3)).await;
        assert_eq!(
            (part.data.len(), part.total, part.page, part.limit),
            (entries, 7, number, 3)
        );
        seen.extend(part.data);
    }
    seen.reverse();
    assert_eq!(seen, tenant.events().await);
}

pub async fn each_audit_filter_alone_and_all_together(stores: &Stores) {
    let tenant = log_of(stores, 5).await;
    let wanted = AuditRecord {
        agent_id: Some(AgentId(uuid())),
        outcome: Outcome::Failure,
        timestamp: at(5000),
        ..tenant.record(Action::AuthFailed)
    };
    let earlier = AuditRecord {
        timestamp: at(-5000),
        ..tenant.record(Action::TokenRevoked)
    };
    tenant.append(vec![wanted.clone(), earlier]).await;
    let none = AuditFilter::default;
    let all = AuditFilter {
        agent_id: wanted.agent_id,
        action: Some(wanted.action),
        outcome: Some(wanted.outcome),
        from: Some(at(4000)),
        to: Some(at(6000)),
        before_sequence: None,
    };
    for filter in [
        AuditFilter {
            agent_id: all.agent_id,
            ..none()
        },
        AuditFilter {
            action: all.action,
            ..none()
        },
        AuditFilter {
            outcome: all.outcome,
            ..none()
        },
        AuditFilter {
            from: all.from,
            ..none()
        },
        all.clone(),
    ] {
        let listed = list(stores, &tenant, &filter, whole()).await;
        let ids: Vec<_> = listed.data.iter().map(|event| event.event_id).collect();
        assert_eq!((ids, listed.total), (vec![wanted.event_id], 1), "{filter:?}");
    }
    let contradictions = [
        AuditFilter {
            outcome: Some(Outcome::Success),
            ..all.clone()
        },
        AuditFilter {
            to: Some(at(3999)),
            ..all.clone()
        },
        AuditFilter {
            agent_id: Some(AgentId(uuid())),
            ..none()
        },
    ];
    for filter in contradictions {
        let listed = list(stores, &tenant, &filter, whole()).await;
        assert_eq!((listed.data, listed.total), (Vec::new(), 0), "{filter:?}");
    }
}

pub async fn an_agents_events_are_found_all_along_a_long_log(stores: &Stores) {
    let (tenant, other) = (Tenant::new(stores).await, Tenant::new(stores).await);
    let (often, seldom) = (AgentId(uuid()), AgentId(uuid()));
    let agent_at = |number: usize| match number % 300 {
        0 => seldom,
        _ => often,
    };
    let record = |tenant: &Tenant, agent: AgentId| AuditRecord {
        agent_id: Some(agent),
        ..tenant.record(Action::TokenIssued)
    };
    tenant
        .append((0..1000).map(|number| record(&tenant, agent_at(number))).collect())
        .await;
    other.append(vec![record(&other, seldom)]).await;
    let of = |agent: AgentId, before: Option<u64>| AuditFilter {
        agent_id: Some(agent),
        before_sequence: before,
        ..AuditFilter::default()
    };
    // The first event is that of the organization itself.
    let sequences = |page: PageOf<AuditEvent>| page.data.iter().map(|event| event.sequence).collect::<Vec<_>>();
    let rare = list(stores, &tenant, &of(seldom, None), whole()).await;
    assert_eq!((rare.total, sequences(rare)), (4, vec![902, 602, 302, 2]));
    let rare = list(stores, &tenant, &of(seldom, Some(602)), whole()).await;
    assert_eq!((rare.total, sequences(rare)), (4, vec![302, 2]));
    let last = list(stores, &tenant, &of(often, None), page(10, 100)).await;
    assert_eq!((last.total, last.data.len(), last.data[0].sequence), (996, 96, 98));
    assert_eq!(
        list(stores, &tenant, &of(AgentId(uuid()), None), whole()).await.total,
        0
    );
}

pub async fn bounds_in_time_are_inclusive(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let records = (100..110).map(|millis| AuditRecord {
        timestamp: at(millis),
        ..tenant.record(Action::TokenIssued)
    });
    tenant.append(records.collect()).await;
    for (from, to, count) in [
        (103, 106, 4),
        (103, 103, 1),
        (106, 103, 0),
        (109, 500, 1),
        (31, 100, 1),
        (31, 99, 0),
    ] {
        let filter = AuditFilter {
            from: Some(at(from)),
            to: Some(at(to)),
            ..AuditFilter::default()
        };
        assert_eq!(
            list(stores, &tenant, &filter, whole()).await.total,
            count,
            "{from} to {to}"
        );
    }
}

pub async fn a_cursor_walks_the_log_while_it_grows(stores: &Stores) {
    let tenant = log_of(stores, 9).await;
    let mut expected = tenant.events().await;
    expected.reverse();
    let (mut seen, mut cursor): (Vec<AuditEvent>, Option<u64>) = (Vec::new(), None);
    loop {
        let filter = AuditFilter {
            before_sequence: cursor,
            ..AuditFilter::default()
        };
        let part = list(stores, &tenant, &filter, page(1, 4)).await;
        let Some(last) = part.data.last() else { break };
        cursor = Some(last.sequence);
        seen.extend(part.data);
        tenant.append(vec![tenant.record(Action::TokenIntrospected)]).await;
    }
    assert_eq!(seen, expected);
}

pub async fn cursors_at_the_edges(stores: &Stores) {
    let tenant = log_of(stores, 4).await;
    tenant.append(vec![tenant.record(Action::KeyRotated)]).await;
    let issued = AuditFilter {
        action: Some(Action::TokenIssued),
        ..AuditFilter::default()
    };
    for (before, expected) in [
        (0, vec![]),
        (1, vec![]),
        (2, vec![1]),
        (5, vec![4, 3, 2, 1]),
        (u64::MAX, vec![5, 4, 3, 2, 1]),
    ] {
        let filter = AuditFilter {
            before_sequence: Some(before),
            ..AuditFilter::default()
        };
        let listed = list(stores, &tenant, &filter, whole()).await;
        let sequences: Vec<u64> = listed.data.iter().map(|event| event.sequence).collect();
        assert_eq!(sequences, expected, "before {before}");
        assert_eq!(listed.total, 5, "the whole is counted, whatever the cursor");
    }
    let filter = AuditFilter {
        before_sequence: Some(4),
        ..issued
    };
    let listed = list(stores, &tenant, &filter, page(1, 1)).await;
    assert_eq!((listed.data[0].sequence, listed.total), (3, 3));
}

/// The cursor says where to go on; a page beside it is a mistake of the caller.
pub async fn a_cursor_has_no_second_page(stores: &Stores) {
    let tenant = log_of(stores, 3).await;
    let filter = AuditFilter {
        before_sequence: Some(3),
        ..AuditFilter::default()
    };
    let refused = stores.audit_trail.list(tenant.id(), &filter, page(2, 1)).await;
    assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
}

async fn list(stores: &Stores, tenant: &Tenant, filter: &AuditFilter, page: Page) -> PageOf<AuditEvent> {
    let listed = stores.audit_trail.list(tenant.id(), filter, page).await;
    listed.expect("the store answers")
}

/// An organization with so many events, the first of which is its creation.
async fn log_of(stores: &Stores, events: u32) -> Tenant {
    let tenant = Tenant::new(stores).await;
    tenant
        .append((1..events).map(|_| tenant.record(Action::TokenIssued)).collect())
        .await;
    tenant
}
