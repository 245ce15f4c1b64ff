//! Credentials: creating, finding, rotating, revoking and noting their use.

use domain::ports::{Conflict, CredentialRotation};
use domain::{
    Action, AgentId, Credential, CredentialId, CredentialStatus, Page, Scope, ScopeSet, SecretDigest, StoredCredential,
    Timestamp,
};

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

pub async fn a_rotation_without_overlap_kills_the_old_secret(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let old = tenant.stored(agent).await;
    let rotation = rotation(&old, None);
    let answered = rotate(stores, &tenant, &rotation).await;
    assert_eq!(answered, old.credential);
    let now = stored(&tenant, agent).await;
    assert_eq!((now.digest, now.previous), (rotation.digest, None));
    assert!(now.accepts(&rotation.digest, at(100)) && !now.accepts(&old.digest, at(100)));
}

pub async fn a_rotation_with_overlap_keeps_the_old_secret_for_a_while(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let old = tenant.stored(agent).await;
    let rotation = rotation(&old, Some(at(1000)));
    rotate(stores, &tenant, &rotation).await;
    let now = stored(&tenant, agent).await;
    assert_eq!(
        (now.digest, now.previous),
        (rotation.digest, Some((old.digest, at(1000))))
    );
    assert!(now.accepts(&old.digest, at(999)) && !now.accepts(&old.digest, at(1000)));
    assert!(now.accepts(&rotation.digest, at(1000)));
}

pub async fn the_next_rotation_forgets_the_secret_before_the_last(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let first = tenant.stored(agent).await;
    let second = rotation(&first, Some(at(1000)));
    rotate(stores, &tenant, &second).await;
    let third = rotation(&first, Some(at(2000)));
    rotate(stores, &tenant, &third).await;
    let now = stored(&tenant, agent).await;
    assert_eq!(
        (now.digest, now.previous),
        (third.digest, Some((second.digest, at(2000))))
    );
    assert!(!now.accepts(&first.digest, at(999)));
    let fourth = rotation(&first, None);
    rotate(stores, &tenant, &fourth).await;
    let now = stored(&tenant, agent).await;
    assert_eq!((now.digest, now.previous), (fourth.digest, None));
}

pub async fn a_rotation_sets_and_clears_the_expiry(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let old = tenant.stored(agent).await;
    touch(stores, &tenant, &[(old.credential.credential_id, at(5))]).await;
    for expires_at in [Some(at(500)), None, Some(at(-500))] {
        let rotation = CredentialRotation {
            expires_at,
            ..rotation(&old, None)
        };
        let expected = Credential {
            expires_at,
            last_used_at: Some(at(5)),
            ..old.credential.clone()
        };
        assert_eq!(rotate(stores, &tenant, &rotation).await, expected);
        assert_eq!(tenant.find_credential(&old.credential).await, expected);
    }
}

pub async fn a_revoked_credential_can_not_be_rotated(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let old = tenant.stored(agent).await;
    tenant.revoke(old.credential.credential_id, at(31)).await;
    let before = tenant.snapshot().await;
    let change = tenant.change(Action::CredentialRotated);
    let refused = stores
        .credentials
        .rotate(tenant.id(), &rotation(&old, Some(at(99))), &change)
        .await;
    assert_eq!(conflict(refused), Conflict::CredentialRevoked);
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn an_unknown_credential_can_not_be_rotated(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let before = tenant.snapshot().await;
    let unknown = rotation(&tenant.credential(agent), None);
    let change = tenant.change(Action::CredentialRotated);
    assert_not_found(stores.credentials.rotate(tenant.id(), &unknown, &change).await);
    assert_eq!(tenant.snapshot().await, before);
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

pub async fn a_revocation_forgets_the_former_secret(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let old = tenant.stored(agent).await;
    rotate(stores, &tenant, &rotation(&old, Some(at(1_000_000)))).await;
    tenant.revoke(old.credential.credential_id, at(31)).await;
    assert_eq!(tenant.load(agent).await.credentials, []);
}

pub async fn a_use_is_noted_and_never_moves_back(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let (used, unused) = (
        tenant.stored(agent).await.credential,
        tenant.stored(agent).await.credential,
    );
    let events = tenant.events().await;
    for (millis, expected) in [(50, 50), (49, 50), (-1_000_000, 50), (50, 50), (51, 51)] {
        touch(stores, &tenant, &[(used.credential_id, at(millis))]).await;
        let now = tenant.find_credential(&used).await;
        assert_eq!(
            now,
            Credential {
                last_used_at: Some(at(expected)),
                ..used.clone()
            }
        );
    }
    touch(stores, &tenant, &[]).await;
    assert_eq!(tenant.find_credential(&unused).await, unused);
    assert_eq!(tenant.events().await, events, "a use is no change");
}

pub async fn the_latest_of_several_uses_counts(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let (one, two) = (
        tenant.stored(agent).await.credential,
        tenant.stored(agent).await.credential,
    );
    for (millis, base) in [([3, 9, 1], 0), ([1, 3, 9], 10), ([9, 3, 1], 20)] {
        let used = millis.map(|millis| (one.credential_id, at(base + millis)));
        touch(
            stores,
            &tenant,
            &[used[0], (two.credential_id, at(base)), used[1], used[2]],
        )
        .await;
        assert_eq!(tenant.find_credential(&one).await.last_used_at, Some(at(base + 9)));
        assert_eq!(tenant.find_credential(&two).await.last_used_at, Some(at(base)));
    }
}

pub async fn uses_of_unknown_credentials_are_ignored(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let (known, revoked) = (
        tenant.stored(agent).await.credential,
        tenant.stored(agent).await.credential,
    );
    tenant.revoke(revoked.credential_id, at(31)).await;
    let mut used: Vec<_> = (0..500).map(|_| (CredentialId(uuid()), at(1))).collect();
    used.insert(250, (known.credential_id, at(2)));
    touch(stores, &tenant, &used).await;
    assert_eq!(tenant.find_credential(&known).await.last_used_at, Some(at(2)));
    assert_eq!(list(stores, &tenant, agent, None).await.len(), 2);
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

/// A new secret for a credential.
pub(super) fn rotation(old: &StoredCredential, overlap_until: Option<Timestamp>) -> CredentialRotation {
    let digest: SecretDigest = digest();
    CredentialRotation {
        credential: old.credential.credential_id,
        digest,
        expires_at: None,
        overlap_until,
    }
}

async fn tenant_and_agent(stores: &Stores) -> (Tenant, AgentId) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await.agent_id;
    (tenant, agent)
}

async fn rotate(stores: &Stores, tenant: &Tenant, rotation: &CredentialRotation) -> Credential {
    let change = tenant.change(Action::CredentialRotated);
    let rotated = stores.credentials.rotate(tenant.id(), rotation, &change).await;
    rotated.expect("it is active").0
}

async fn touch(stores: &Stores, tenant: &Tenant, used: &[(CredentialId, Timestamp)]) {
    let noted = stores.credentials.touch(tenant.id(), used).await;
    noted.expect("uses are always taken");
}

async fn stored(tenant: &Tenant, agent: AgentId) -> StoredCredential {
    let mut credentials = tenant.load(agent).await.credentials;
    assert_eq!(credentials.len(), 1);
    credentials.remove(0)
}

async fn list(stores: &Stores, tenant: &Tenant, agent: AgentId, status: Option<CredentialStatus>) -> Vec<Credential> {
    let page: Page = whole();
    let listed = stores.credentials.list(tenant.id(), agent, status, page).await;
    let listed = listed.expect("the store answers");
    assert_eq!(listed.data.len() as u64, listed.total);
    listed.data
}
