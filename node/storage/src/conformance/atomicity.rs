//! A row, its audit event and its message are there together or not at all.
//!
//! The audit event is made to fail, by an id that the log holds already: whatever was written before it must go again.

use domain::ports::Conflict;
use domain::{Action, Agent, AgentStatus};

use super::rotation::rotation;
use super::world::{Tenant, assert_conflict_changes_nothing, at, new_organization, next};
use crate::Stores;

pub async fn a_registration_is_whole_or_not_at_all(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.agent();
    let change = tenant.impossible_change(Action::AgentCreated).await;
    let write = stores.agents.register(&agent, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AuditEvent).await;
    let found = stores.agents.find(tenant.id(), agent.agent_id).await;
    assert_eq!(found.expect("the store answers"), None);
    tenant.register(&agent).await;
}

pub async fn an_update_is_whole_or_not_at_all(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = next(&tenant.registered().await);
    let change = tenant.impossible_change(Action::AgentUpdated).await;
    let write = stores.agents.update(&agent, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AuditEvent).await;
}

pub async fn a_decommissioning_is_whole_or_not_at_all(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    tenant.stored(agent.agent_id).await;
    let ended = Agent {
        status: AgentStatus::Decommissioned,
        ..next(&agent)
    };
    let change = tenant.impossible_change(Action::AgentDecommissioned).await;
    let write = stores.agents.decommission(&ended, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AuditEvent).await;
}

pub async fn a_new_credential_is_whole_or_not_at_all(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let credential = tenant.credential(tenant.registered().await.agent_id);
    let change = tenant.impossible_change(Action::CredentialGenerated).await;
    let write = stores.credentials.create(&credential, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AuditEvent).await;
}

pub async fn a_rotation_is_whole_or_not_at_all(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let credential = tenant.stored(tenant.registered().await.agent_id).await;
    let rotation = rotation(&credential, Some(at(99)));
    let change = tenant.impossible_change(Action::CredentialRotated).await;
    let write = stores.credentials.rotate(tenant.id(), &rotation, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AuditEvent).await;
}

pub async fn a_revocation_is_whole_or_not_at_all(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let credential = tenant.stored(tenant.registered().await.agent_id).await;
    let change = tenant.impossible_change(Action::CredentialRevoked).await;
    let id = credential.credential.credential_id;
    let write = stores.credentials.revoke(tenant.id(), id, at(31), &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AuditEvent).await;
}

pub async fn a_new_organization_is_whole_or_not_at_all(stores: &Stores) {
    let mut tenant = Tenant::new(stores).await;
    let taken = tenant.events().await[0].event_id;
    tenant.organization = new_organization();
    let mut change = tenant.change(Action::OrganizationCreated);
    change.audit.event_id = taken;
    let write = stores.organizations.create(&tenant.organization, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AuditEvent).await;
    let found = stores.organizations.find(tenant.id()).await;
    assert_eq!(found.expect("the store answers"), None);
}

pub async fn a_batch_of_events_is_whole_or_not_at_all(stores: &Stores) {
    let (one, two) = (Tenant::new(stores).await, Tenant::new(stores).await);
    let mut batch: Vec<_> = (0..50).map(|_| one.record(Action::TokenIssued)).collect();
    batch.extend((0..50).map(|_| two.record(Action::TokenIssued)));
    batch.push(two.impossible_change(Action::TokenIssued).await.audit);
    let append = stores.audit_trail.append(batch);
    assert_conflict_changes_nothing(&[&one, &two], append, Conflict::AuditEvent).await;
}

pub async fn a_refused_row_leaves_no_event_and_no_message(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let (first, second) = (tenant.registered().await, tenant.registered().await);
    let double = Agent {
        email: first.email.clone(),
        ..tenant.agent()
    };
    let change = tenant.change(Action::AgentCreated);
    let write = stores.agents.register(&double, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AgentEmail).await;
    let taken = Agent {
        email: first.email,
        ..next(&second)
    };
    let write = stores.agents.update(&taken, &change);
    assert_conflict_changes_nothing(&[&tenant], write, Conflict::AgentEmail).await;
    // The change that was refused twice is not used up.
    stores
        .agents
        .register(&tenant.agent(), &change)
        .await
        .expect("nothing of it is in the store");
}
