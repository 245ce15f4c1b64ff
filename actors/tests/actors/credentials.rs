//! Credentials: made, replaced and ended, by whom it may be.

use std::time::Duration;

use actors::{NewCredential, RotateCredential, TenantError};
use domain::ports::{Clock, RevocationView};
use domain::{Action, AgentId, AgentPatch, AgentStatus, CredentialStatus, ScopeSet, TokenFacts};
use uuid::Uuid;

use super::support::{SECRET, World, origin, request};

fn scopes(text: &str) -> ScopeSet {
    text.parse().expect("scopes")
}

async fn is_accepted(world: &World, agent: AgentId, secret: &str) -> bool {
    world
        .actors
        .tenants
        .authorize(&request(agent, secret), &origin())
        .await
        .is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_made_works_at_once_and_is_nowhere_but_in_the_answer() {
    let world = World::start().await;
    let expires_at = Some(world.clock.now().plus(Duration::from_secs(3600)));
    let new = NewCredential {
        expires_at,
        scopes: Some(scopes("agents:read")),
    };
    assert!(
        is_accepted(&world, world.agent, SECRET).await,
        "warm before, so the cached client must be dropped"
    );
    let made = world
        .actors
        .tenants
        .generate_credential(&world.admin(), world.agent, new)
        .await;
    let (credential, secret) = made.expect("made");
    assert_eq!(
        (credential.expires_at, credential.scopes),
        (expires_at, Some(scopes("agents:read")))
    );
    assert!(is_accepted(&world, world.agent, secret.expose()).await);
    let event = world.store.events(world.organization).remove(0);
    assert_eq!(event.action, Action::CredentialGenerated);
    assert!(event.metadata.as_str().contains(&credential.credential_id.to_string()));
    assert!(!event.metadata.as_str().contains("sk_live_"));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(
        !is_accepted(&world, world.agent, secret.expose()).await,
        "it has expired"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_dies_at_once_unless_a_respite_is_asked_for() {
    let world = World::start().await;
    assert!(is_accepted(&world, world.agent, SECRET).await);
    let (tenants, caller) = (&world.actors.tenants, world.admin());
    let rotated = tenants
        .rotate_credential(&caller, world.agent, world.credential, RotateCredential::default())
        .await;
    let second = rotated.expect("rotated").1;
    assert!(!is_accepted(&world, world.agent, SECRET).await);
    assert!(is_accepted(&world, world.agent, second.expose()).await);
    let respite = RotateCredential {
        overlap: Some(Duration::from_secs(60)),
        expires_at: None,
    };
    let rotated = tenants
        .rotate_credential(&caller, world.agent, world.credential, respite)
        .await;
    let third = rotated.expect("rotated").1;
    assert!(
        is_accepted(&world, world.agent, second.expose()).await
            && is_accepted(&world, world.agent, third.expose()).await
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!is_accepted(&world, world.agent, second.expose()).await);
    assert!(is_accepted(&world, world.agent, third.expose()).await);
}

#[tokio::test(start_paused = true)]
async fn a_respite_is_no_longer_than_a_day() {
    let world = World::start().await;
    let respite = RotateCredential {
        overlap: Some(Duration::from_secs(10 * 86_400)),
        expires_at: None,
    };
    let caller = world.admin();
    let rotated = world
        .actors
        .tenants
        .rotate_credential(&caller, world.agent, world.credential, respite)
        .await;
    rotated.expect("rotated");
    let (_, until) = world.store.tables().credentials[&world.credential]
        .previous
        .expect("a respite");
    assert_eq!(until, world.clock.now().plus(Duration::from_secs(86_400)));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_credential_and_the_tokens_issued_from_it_are_dead() {
    let world = World::start().await;
    let revision = world.authorize().await.expect("granted").revision;
    let (tenants, caller) = (&world.actors.tenants, world.admin());
    tenants
        .revoke_credential(&caller, world.agent, world.credential)
        .await
        .expect("revoked");
    assert!(!is_accepted(&world, world.agent, SECRET).await);
    let token = TokenFacts {
        issued_at: revision,
        ..world.token(world.agent, world.credential)
    };
    assert_eq!(world.cluster.is_revoked(&token), Ok(true));
    let again = tenants.revoke_credential(&caller, world.agent, world.credential).await;
    assert!(matches!(again, Err(TenantError::CredentialAlreadyRevoked)));
    let rotated = tenants
        .rotate_credential(&caller, world.agent, world.credential, RotateCredential::default())
        .await;
    assert!(matches!(rotated, Err(TenantError::CredentialAlreadyRevoked)));
    assert_eq!(
        world.store.events(world.organization).len(),
        2,
        "the revocation and the failed authentication"
    );
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_not_active_gets_no_credential() {
    let world = World::start().await;
    let (tenants, caller) = (&world.actors.tenants, world.admin());
    let patch = AgentPatch {
        status: Some(AgentStatus::Suspended),
        ..AgentPatch::default()
    };
    tenants
        .update_agent(&caller, world.agent, patch, None)
        .await
        .expect("suspended");
    let refused = tenants
        .generate_credential(&caller, world.agent, NewCredential::default())
        .await;
    assert!(matches!(refused, Err(TenantError::AgentNotActive)));
    let unknown = AgentId(Uuid::from_u128(77));
    let refused = tenants
        .generate_credential(&caller, unknown, NewCredential::default())
        .await;
    assert!(matches!(refused, Err(TenantError::AgentNotFound)));
}

#[tokio::test(start_paused = true)]
async fn without_admin_orgs_an_agent_manages_its_own_credentials_only() {
    let world = World::start().await;
    let (other, others) = world.add_agent(world.organization, "acme", "other", None);
    let (tenants, caller) = (&world.actors.tenants, world.caller(world.agent, world.credential));
    let refused = tenants
        .generate_credential(&caller, other, NewCredential::default())
        .await;
    assert!(matches!(refused, Err(TenantError::Forbidden(_))));
    let refused = tenants
        .rotate_credential(&caller, other, others, RotateCredential::default())
        .await;
    assert!(matches!(refused, Err(TenantError::Forbidden(_))));
    let refused = tenants.revoke_credential(&caller, other, others).await;
    assert!(matches!(refused, Err(TenantError::Forbidden(_))));
    assert!(world.store.events(world.organization).is_empty());
    tenants
        .generate_credential(&caller, world.agent, NewCredential::default())
        .await
        .expect("its own");
    tenants
        .rotate_credential(&world.admin(), other, others, RotateCredential::default())
        .await
        .expect("as admin");
}

#[tokio::test(start_paused = true)]
async fn a_narrowed_credential_can_not_be_used_to_get_one_that_allows_more() {
    let world = World::start().await;
    let narrow = scopes("agents:read agents:write");
    let (agent, narrowed) = world.add_agent(world.organization, "acme", "narrow", Some(narrow));
    let (tenants, caller) = (&world.actors.tenants, world.caller(agent, narrowed));
    let wider = NewCredential {
        scopes: Some(scopes("agents:write audit:read")),
        ..NewCredential::default()
    };
    assert!(matches!(
        tenants.generate_credential(&caller, agent, wider).await,
        Err(TenantError::Forbidden(_))
    ));
    let made = tenants
        .generate_credential(&caller, agent, NewCredential::default())
        .await
        .expect("made");
    assert_eq!(made.0.scopes, Some(narrow), "not saying how much is no way round it");
    let wide = tenants
        .generate_credential(&world.admin(), agent, NewCredential::default())
        .await
        .expect("made")
        .0;
    assert_eq!(wide.scopes, None);
    let stolen = tenants
        .rotate_credential(&caller, agent, wide.credential_id, RotateCredential::default())
        .await;
    assert!(
        matches!(stolen, Err(TenantError::Forbidden(_))),
        "nor is replacing the secret of a wider one"
    );
    tenants
        .revoke_credential(&caller, agent, wide.credential_id)
        .await
        .expect("ending it is");
    let row = world.store.tables().credentials[&wide.credential_id].credential.status;
    assert_eq!(row, CredentialStatus::Revoked);
}
