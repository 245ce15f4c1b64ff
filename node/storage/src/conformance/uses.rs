//! Noting when credentials were last used.

use domain::{Credential, CredentialId, Timestamp};

use super::credentials::{list, tenant_and_agent};
use super::world::{Tenant, at, uuid};
use crate::Stores;

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

pub(super) async fn touch(stores: &Stores, tenant: &Tenant, used: &[(CredentialId, Timestamp)]) {
    let noted = stores.credentials.touch(tenant.id(), used).await;
    noted.expect("uses are always taken");
}
