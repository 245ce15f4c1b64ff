//! Many at once: chains without gaps, one winner for each row, and no deadlock.

use std::collections::BTreeSet;

use domain::ports::{Conflict, StoreError};
use domain::{
    Action, Agent, AgentFilter, AgentId, AgentStatus, AuditFilter, AuditRecord, CredentialStatus, Organization,
    Timestamp,
};
use tokio::task::JoinSet;

use super::world::{Tenant, at, new_organization, next, uuid, whole};
use crate::Stores;

/// How many do something at once.
const TASKS: usize = 32;

pub async fn many_appends_to_one_chain_leave_no_gap(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let batches = (0..TASKS).map(|size| (0..=size % 4).map(|_| tenant.record(Action::TokenIssued)).collect());
    let batches: Vec<Vec<AuditRecord>> = batches.collect();
    let mut expected: BTreeSet<_> = batches.iter().flatten().map(|record| record.event_id).collect();
    append_all(stores, batches).await;
    let events = tenant.events().await;
    expected.insert(events[0].event_id);
    assert_eq!(events.len(), expected.len());
    assert_eq!(
        events.iter().map(|event| event.event_id).collect::<BTreeSet<_>>(),
        expected
    );
}

/// Batches that name the same organizations in different orders: a store that locks chains as they come would deadlock.
pub async fn many_appends_to_several_chains_in_any_order_leave_no_gap(stores: &Stores) {
    let mut tenants = Vec::new();
    for _ in 0..4 {
        tenants.push(Tenant::new(stores).await);
    }
    let batch = |task: usize| {
        let mut order: Vec<&Tenant> = tenants.iter().collect();
        order.rotate_left(task % 4);
        if task.is_multiple_of(2) {
            order.reverse();
        }
        order.iter().map(|tenant| tenant.record(Action::TokenIssued)).collect()
    };
    append_all(stores, (0..TASKS).map(batch).collect()).await;
    for tenant in &tenants {
        assert_eq!(tenant.events().await.len(), 1 + TASKS);
    }
}

pub async fn of_many_updates_of_one_revision_one_wins(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut agent = tenant.registered().await;
    for _ in 0..3 {
        let revision = next(&agent);
        let results = all_at_once((0..8).map(|index| {
            let (stores, change) = (stores.clone(), tenant.change(Action::AgentUpdated));
            let agent = Agent {
                owner: format!("owner {index}"),
                ..revision.clone()
            };
            async move { stores.agents.update(&agent, &change).await.map(|_| agent) }
        }))
        .await;
        agent = only_winner(results, Conflict::RowVersion);
        let found = stores
            .agents
            .find(tenant.id(), agent.agent_id)
            .await
            .expect("the store answers");
        assert_eq!(found.as_ref(), Some(&agent));
    }
    assert_eq!((tenant.events().await.len(), tenant.messages().await.len()), (5, 5));
}

pub async fn updates_that_try_again_all_get_through(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    let results = all_at_once((0..8).map(|_| {
        let (stores, tenant, id) = (stores.clone(), tenant.clone(), agent.agent_id);
        async move {
            loop {
                let seen = stores.agents.find(tenant.id(), id).await?.ok_or(StoreError::NotFound)?;
                let change = tenant.change(Action::AgentUpdated);
                match stores.agents.update(&next(&seen), &change).await {
                    Err(StoreError::Conflict(Conflict::RowVersion)) => {}
                    other => return other,
                }
            }
        }
    }))
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let found = stores
        .agents
        .find(tenant.id(), agent.agent_id)
        .await
        .expect("the store answers");
    assert_eq!(found.expect("it is there").row_version, 9);
    assert_eq!(tenant.events().await.len(), 10);
}

pub async fn of_many_registrations_of_one_email_one_wins(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let template = tenant.agent();
    let results = all_at_once((0..TASKS).map(|_| {
        let (stores, change) = (stores.clone(), tenant.change(Action::AgentCreated));
        let agent = Agent {
            agent_id: AgentId(uuid()),
            ..template.clone()
        };
        async move { stores.agents.register(&agent, &change).await.map(|_| agent) }
    }))
    .await;
    let winner = only_winner(results, Conflict::AgentEmail);
    let listed = stores.agents.list(tenant.id(), &AgentFilter::default(), whole()).await;
    assert_eq!(listed.expect("the store answers").data, [winner]);
    assert_eq!((tenant.events().await.len(), tenant.messages().await.len()), (2, 2));
}

pub async fn of_many_creations_of_one_slug_one_wins(stores: &Stores) {
    let template = new_organization();
    let tenant = Tenant::new(stores).await;
    let results = all_at_once((0..16).map(|_| {
        let mut new = tenant.clone();
        new.organization = Organization {
            slug: template.slug.clone(),
            ..new_organization()
        };
        let (stores, change) = (stores.clone(), new.change(Action::OrganizationCreated));
        async move {
            let created = stores.organizations.create(&new.organization, &change).await;
            created.map(|_| new.organization)
        }
    }))
    .await;
    let winner = only_winner(results, Conflict::OrganizationSlug);
    let found = stores.organizations.find_by_slug(&template.slug).await;
    assert_eq!(found.expect("the store answers"), Some(winner));
}

pub async fn of_many_revocations_one_wins(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let credential = tenant.stored(tenant.registered().await.agent_id).await.credential;
    let results = all_at_once((0..16).map(|index| {
        let (stores, change) = (stores.clone(), tenant.change(Action::CredentialRevoked));
        let (organization, id) = (tenant.id(), credential.credential_id);
        async move {
            let revoked = stores
                .credentials
                .revoke(organization, id, at(100 + index), &change)
                .await;
            revoked.map(|_| at(100 + index))
        }
    }))
    .await;
    let winner: Timestamp = only_winner(results, Conflict::CredentialRevoked);
    assert_eq!(tenant.find_credential(&credential).await.revoked_at, Some(winner));
    assert_eq!((tenant.events().await.len(), tenant.messages().await.len()), (4, 4));
}

pub async fn of_many_appends_of_one_event_one_wins(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let record = tenant.record(Action::TokenIssued);
    let results = all_at_once((0..16).map(|_| {
        let (stores, record) = (stores.clone(), record.clone());
        async move { stores.audit_trail.append(vec![record]).await }
    }))
    .await;
    only_winner(results, Conflict::AuditEvent);
    assert_eq!(tenant.events().await.len(), 2);
}

pub async fn many_uses_at_once_leave_the_latest(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await.agent_id;
    let credentials = [
        tenant.stored(agent).await.credential,
        tenant.stored(agent).await.credential,
    ];
    let results = all_at_once((0..TASKS).map(|task| {
        let (stores, organization) = (stores.clone(), tenant.id());
        let mut used = credentials
            .clone()
            .map(|credential| (credential.credential_id, at((task * 7 % TASKS) as i64)));
        if task % 2 == 0 {
            used.reverse();
        }
        async move { stores.credentials.touch(organization, &used).await }
    }))
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    for credential in credentials {
        let now = tenant.find_credential(&credential).await;
        assert_eq!(now.last_used_at, Some(at(TASKS as i64 - 1)));
    }
}

/// Whichever order the store chooses: a credential that was made before the end of its agent is revoked with it.
pub async fn a_decommissioning_leaves_no_credential_that_was_made_meanwhile(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    let mut writes = JoinSet::new();
    for _ in 0..8 {
        let (tenant, agent) = (tenant.clone(), agent.agent_id);
        writes.spawn(async move {
            tenant.stored(agent).await;
        });
    }
    let ended = Agent {
        status: AgentStatus::Decommissioned,
        ..next(&agent)
    };
    let change = tenant.change(Action::AgentDecommissioned);
    stores
        .agents
        .decommission(&ended, &change)
        .await
        .expect("it is the latest revision");
    while let Some(written) = writes.join_next().await {
        written.expect("no task panics");
    }
    let messages = tenant.messages().await;
    let end = messages
        .iter()
        .position(|entry| entry.message.action == Action::AgentDecommissioned);
    let made_before = end.expect("it was written") - 2;
    let listed = stores
        .credentials
        .list(tenant.id(), agent.agent_id, Some(CredentialStatus::Revoked), whole())
        .await;
    assert_eq!(listed.expect("the store answers").total as usize, made_before);
    assert_eq!(tenant.events().await.len(), 11);
}

pub async fn reading_goes_on_during_writes(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    let results = all_at_once((0..TASKS).map(|task| {
        let (stores, tenant, agent) = (stores.clone(), tenant.clone(), agent.agent_id);
        async move {
            if task % 2 == 0 {
                return stores
                    .audit_trail
                    .append(vec![tenant.record(Action::TokenIssued)])
                    .await;
            }
            // Each of these is one look at one moment, so each must fit together in itself.
            let client = stores.clients.load(agent).await?.ok_or(StoreError::NotFound)?;
            assert_eq!(client.organization, tenant.organization);
            let listed = stores
                .audit_trail
                .list(tenant.id(), &AuditFilter::default(), whole())
                .await?;
            assert!(listed.data.windows(2).all(|pair| pair[0].previous_hash == pair[1].hash));
            Ok(())
        }
    }))
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(tenant.events().await.len(), 2 + TASKS / 2);
}

/// Runs all and answers when all are through, in the given order.
async fn all_at_once<T, F>(tasks: impl Iterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in running {
        results.push(task.await.expect("no task panics"));
    }
    results
}

async fn append_all(stores: &Stores, batches: Vec<Vec<AuditRecord>>) {
    let results = all_at_once(batches.into_iter().map(|batch| {
        let stores = stores.clone();
        async move { stores.audit_trail.append(batch).await }
    }))
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

#[track_caller]
fn only_winner<T>(results: Vec<Result<T, StoreError>>, expected: Conflict) -> T {
    let mut winners = Vec::new();
    for result in results {
        match result {
            Ok(winner) => winners.push(winner),
            Err(StoreError::Conflict(conflict)) => assert_eq!(conflict, expected),
            Err(other) => panic!("{expected} was expected, not {other}"),
        }
    }
    assert_eq!(winners.len(), 1, "exactly one wins");
    winners.remove(0)
}
