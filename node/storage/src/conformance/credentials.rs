//! Credentials: creating, finding, rotating, revoking and noting their use.

use domain::ports::Conflict;
use domain::{
    Action, AgentId, Credential, CredentialId, CredentialStatus, Scope, ScopeSet, StoredCredential, Timestamp,
};

use super::rotation::rotation;
use super::world::{Tenant, assert_not_found, at, conflict, digest, page, uuid, whole};
use crate::Stores;

pub async fn a_credential_is_found_as_it_was_created(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let plain = tenant.stored(agent).await;
    let mut full = tenant.credential(agent);
    full.credential = Credential {
        scopes: Some(ScopeSet::all()),
        created_at: Timestamp::from_millis(-1),
        expires_at: Some(Timestamp::from_millis(253_402_300_799_999)),
        last_used_at: Some(at(3)),
        ..full.credential
    };
    full.previous = Some((digest(), at(77)));
    tenant.store(&full).await;
    for stored in [&plain, &full] {
        assert_eq!(tenant.find_credential(&stored.credential).await, stored.credential);
    }
    assert_eq!(
        tenant.load(agent).await.credentials,
        [full, plain],
        "with their digests"
    );
}

pub async fn no_scopes_and_the_empty_set_are_different(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let one = ScopeSet::EMPTY.with(Scope::OpenId);
    for scopes in [None, Some(ScopeSet::EMPTY), Some(one), Some(ScopeSet::all())] {
        let mut new = tenant.credential(agent);
        new.credential.scopes = scopes;
        tenant.store(&new).await;
        assert_eq!(tenant.find_credential(&new.credential).await.scopes, scopes);
    }
}

pub async fn a_credential_of_an_unknown_agent_is_refused(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let before = tenant.snapshot().await;
    let homeless = tenant.credential(AgentId(uuid()));
    let change = tenant.change(Action::CredentialGenerated);
    assert_not_found(stores.credentials.create(&homeless, &change).await);
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn a_credential_is_found_only_under_its_agent(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let other = tenant.registered().await.agent_id;
    let id = tenant.stored(agent).await.credential.credential_id;
    for (agent, id) in [(other, id), (AgentId(uuid()), id), (agent, CredentialId(uuid()))] {
        let found = stores.credentials.find(tenant.id(), agent, id).await;
        assert_eq!(found.expect("the store answers"), None);
    }
}

pub async fn credentials_come_oldest_first_in_pages(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let mut new: Vec<StoredCredential> = (0..5).map(|_| tenant.credential(agent)).collect();
    for (new, millis) in new.iter_mut().zip([9, 2, 2, -4, 9]) {
        new.credential.created_at = at(millis);
    }
    for index in [4, 2, 0, 1, 3] {
        tenant.store(&new[index]).await;
    }
    let expected: Vec<_> = [3, 1, 2, 0, 4]
        .iter()
        .map(|index| new[*index].credential.clone())
        .collect();
    assert_eq!(list(stores, &tenant, agent, None).await, expected);
    let mut seen = Vec::new();
    for (number, entries) in [(1, 2), (2, 2), (3, 1), (4, 0)] {
        let part = stores.credentials.list(tenant.id(), agent, None, page(number, 2)).await;
        let part = part.expect("the store answers");
        assert_eq!(
            (part.data.len(), part.total, part.page, part.limit),
            (entries, 5, number, 2)
        );
        seen.extend(part.data);
    }
    assert_eq!(seen, expected);
}

pub async fn credentials_are_filtered_by_status(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    assert_eq!(list(stores, &tenant, agent, None).await, []);
    assert_eq!(list(stores, &tenant, AgentId(uuid()), None).await, []);
    let (first, second) = (tenant.stored(agent).await, tenant.stored(agent).await);
    tenant.revoke(first.credential.credential_id, at(31)).await;
    let ids = |listed: Vec<Credential>| listed.iter().map(|entry| entry.credential_id).collect::<Vec<_>>();
    let (first, second) = (first.credential.credential_id, second.credential.credential_id);
    for (status, expected) in [
        (None, vec![first, second]),
        (Some(CredentialStatus::Active), vec![second]),
        (Some(CredentialStatus::Revoked), vec![first]),
    ] {
        assert_eq!(ids(list(stores, &tenant, agent, status).await), expected);
    }
}

pub async fn a_credential_is_revoked_once(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let (active, bystander) = (tenant.stored(agent).await, tenant.stored(agent).await);
    let id = active.credential.credential_id;
    tenant.revoke(id, at(31)).await;
    let revoked = Credential {
        status: CredentialStatus::Revoked,
        revoked_at: Some(at(31)),
        ..active.credential
    };
    assert_eq!(tenant.find_credential(&revoked).await, revoked);
    assert_eq!(
        tenant.find_credential(&bystander.credential).await,
        bystander.credential
    );
    let before = tenant.snapshot().await;
    let change = tenant.change(Action::CredentialRevoked);
    let again = stores.credentials.revoke(tenant.id(), id, at(32), &change).await;
    assert_eq!(conflict(again), Conflict::CredentialRevoked);
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn an_unknown_credential_can_not_be_revoked(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    tenant.stored(agent).await;
    let before = tenant.snapshot().await;
    let change = tenant.change(Action::CredentialRevoked);
    let unknown = stores
        .credentials
        .revoke(tenant.id(), CredentialId(uuid()), at(31), &change);
    assert_not_found(unknown.await);
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn every_write_leaves_an_audit_event_and_a_message(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let new = tenant.credential(agent);
    let id = new.credential.credential_id;
    let actions = [
        Action::CredentialGenerated,
        Action::CredentialRotated,
        Action::CredentialRevoked,
    ];
    let changes = actions.map(|action| tenant.change(action));
    let credentials = &stores.credentials;
    let created = credentials.create(&new, &changes[0]).await.expect("the agent is there");
    let (_, rotated) = credentials
        .rotate(tenant.id(), &rotation(&new, None), &changes[1])
        .await
        .expect("it is active");
    let revoked = credentials
        .revoke(tenant.id(), id, at(31), &changes[2])
        .await
        .expect("it is active");
    let messages: Vec<_> = tenant
        .messages()
        .await
        .into_iter()
        .map(|entry| (entry.id, entry.message))
        .collect();
    let expected: Vec<_> = [created, rotated, revoked]
        .into_iter()
        .zip(changes.iter().map(|change| change.message.clone()))
        .collect();
    assert_eq!(messages[2..], expected);
    let events: Vec<_> = tenant.events().await.iter().map(|event| event.event_id).collect();
    assert_eq!(events[2..], changes.map(|change| change.audit.event_id));
}

pub(super) async fn tenant_and_agent(stores: &Stores) -> (Tenant, AgentId) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await.agent_id;
    (tenant, agent)
}

pub(super) async fn list(
    stores: &Stores,
    tenant: &Tenant,
    agent: AgentId,
    status: Option<CredentialStatus>,
) -> Vec<Credential> {
    let listed = stores.credentials.list(tenant.id(), agent, status, whole()).await;
    let listed = listed.expect("the store answers");
    assert_eq!(listed.data.len() as u64, listed.total);
    listed.data
}
