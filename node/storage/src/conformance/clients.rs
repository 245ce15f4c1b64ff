//! Agents as OAuth clients, found by nothing but their id.

use domain::{Action, Agent, AgentId, AgentStatus, Organization, OrganizationStatus, SigningAlgorithm, Tier};

use super::rotation::rotation;
use super::world::{Tenant, at, new_organization, next, uuid};
use crate::Stores;

pub async fn an_unknown_client_is_not_there(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await.agent_id;
    let credential = tenant.stored(agent).await.credential.credential_id;
    for id in [AgentId(uuid()), AgentId(credential.0), AgentId(tenant.id().0)] {
        assert_eq!(stores.clients.load(id).await.expect("the store answers"), None);
    }
}

pub async fn a_client_comes_with_its_organization_and_credentials(stores: &Stores) {
    let mut tenant = Tenant::new(stores).await;
    let organization = Organization {
        status: OrganizationStatus::Suspended,
        tier: Tier::Enterprise,
        token_ttl_seconds: 86_400,
        signing_algorithm: SigningAlgorithm::Rs256,
        ..new_organization()
    };
    tenant.organization = organization.clone();
    let change = tenant.change(Action::OrganizationCreated);
    stores
        .organizations
        .create(&organization, &change)
        .await
        .expect("it is new");
    let (agent, other) = (tenant.registered().await, tenant.registered().await);
    let mut late = tenant.credential(agent.agent_id);
    late.credential.created_at = at(25);
    tenant.store(&late).await;
    let early = tenant.stored(agent.agent_id).await;
    tenant.stored(other.agent_id).await;
    let client = tenant.load(agent.agent_id).await;
    assert_eq!((client.organization, client.agent), (organization, agent));
    assert_eq!(client.credentials.len(), 2);
    assert!(
        [early, late]
            .iter()
            .all(|credential| client.credentials.contains(credential))
    );
}

pub async fn a_client_without_credentials_is_there(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    let client = tenant.load(agent.agent_id).await;
    assert_eq!((client.agent, client.credentials), (agent, Vec::new()));
    assert_eq!(client.organization, tenant.organization);
}

pub async fn suspended_and_decommissioned_clients_are_there(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    let credential = tenant.stored(agent.agent_id).await;
    let suspended = Agent {
        status: AgentStatus::Suspended,
        ..next(&agent)
    };
    let updated = stores
        .agents
        .update(&suspended, &tenant.change(Action::AgentSuspended))
        .await;
    updated.expect("it is the latest revision");
    let client = tenant.load(agent.agent_id).await;
    assert_eq!((&client.agent, client.credentials), (&suspended, vec![credential]));
    let ended = Agent {
        status: AgentStatus::Decommissioned,
        ..next(&suspended)
    };
    let change = tenant.change(Action::AgentDecommissioned);
    stores
        .agents
        .decommission(&ended, &change)
        .await
        .expect("it is the latest revision");
    let client = tenant.load(agent.agent_id).await;
    assert_eq!((client.agent, client.credentials), (ended, Vec::new()));
}

pub async fn revoked_credentials_are_left_out_and_expired_ones_are_not(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await.agent_id;
    let revoked = tenant.stored(agent).await;
    tenant.revoke(revoked.credential.credential_id, at(31)).await;
    let mut expired = tenant.credential(agent);
    expired.credential.expires_at = Some(at(-1_000_000_000));
    tenant.store(&expired).await;
    assert_eq!(tenant.load(agent).await.credentials, [expired]);
}

pub async fn a_former_secret_comes_along_during_its_overlap(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await.agent_id;
    let old = tenant.stored(agent).await;
    let rotation = rotation(&old, Some(at(600)));
    let change = tenant.change(Action::CredentialRotated);
    stores
        .credentials
        .rotate(tenant.id(), &rotation, &change)
        .await
        .expect("it is active");
    let client = tenant.load(agent).await;
    assert!(client.credentials[0].accepts(&old.digest, at(599)));
    assert!(!client.credentials[0].accepts(&old.digest, at(600)));
    assert!(client.credentials[0].accepts(&rotation.digest, at(600)));
}
