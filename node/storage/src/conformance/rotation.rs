//! Replacing the secret of a credential.

use domain::ports::{Conflict, CredentialRotation};
use domain::{Action, AgentId, Credential, StoredCredential, Timestamp};

use super::credentials::tenant_and_agent;
use super::uses::touch;
use super::world::{Tenant, assert_not_found, at, conflict, digest};
use crate::Stores;

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

pub async fn a_revocation_forgets_the_former_secret(stores: &Stores) {
    let (tenant, agent) = tenant_and_agent(stores).await;
    let old = tenant.stored(agent).await;
    rotate(stores, &tenant, &rotation(&old, Some(at(1_000_000)))).await;
    tenant.revoke(old.credential.credential_id, at(31)).await;
    assert_eq!(tenant.load(agent).await.credentials, []);
}

/// A new secret for a credential.
pub(super) fn rotation(old: &StoredCredential, overlap_until: Option<Timestamp>) -> CredentialRotation {
    CredentialRotation {
        credential: old.credential.credential_id,
        digest: digest(),
        expires_at: None,
        overlap_until,
    }
}

async fn rotate(stores: &Stores, tenant: &Tenant, rotation: &CredentialRotation) -> Credential {
    let change = tenant.change(Action::CredentialRotated);
    let rotated = stores.credentials.rotate(tenant.id(), rotation, &change).await;
    rotated.expect("it is active").0
}

async fn stored(tenant: &Tenant, agent: AgentId) -> StoredCredential {
    let mut credentials = tenant.load(agent).await.credentials;
    assert_eq!(credentials.len(), 1);
    credentials.remove(0)
}
