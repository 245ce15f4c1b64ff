//! What a caller may do when its write's turn comes, and what it may hand on. Each test is an attack that once got through.

use std::time::Duration;

use actors::{Caller, Forbidden, NewCredential, RotateCredential, TenantError};
use domain::ports::{Clock, Replication, ReplicationError};
use domain::{
    Agent, AgentId, AgentPatch, AgentStatus, Credential, CredentialId, CredentialStatus, OrganizationStatus,
    ReplicatedChange, Revocation, Scope, ScopeSet, Subject, Timestamp,
};

use super::support::{World, new_agent, until};

fn to(status: AgentStatus) -> AgentPatch {
    AgentPatch {
        status: Some(status),
        ..AgentPatch::default()
    }
}

fn scopes(text: &str) -> ScopeSet {
    text.parse().expect("scopes")
}

fn with_token(caller: Caller, token: &str) -> Caller {
    Caller {
        scopes: scopes(token),
        ..caller
    }
}

fn first(world: &World) -> Caller {
    world.caller(world.agent, world.credential)
}

async fn update(world: &World, caller: &Caller, agent: AgentId, status: AgentStatus) -> Result<Agent, TenantError> {
    world.actors.tenants.update_agent(caller, agent, to(status), None).await
}

async fn generate(world: &World, caller: &Caller, new: NewCredential) -> Result<Credential, TenantError> {
    let made = world
        .actors
        .tenants
        .generate_credential(caller, caller.agent, new)
        .await;
    made.map(|(credential, _)| credential)
}

async fn rotate(world: &World, caller: &Caller, credential: CredentialId) -> Result<Credential, TenantError> {
    let rotation = RotateCredential::default();
    let rotated = world
        .actors
        .tenants
        .rotate_credential(caller, caller.agent, credential, rotation)
        .await;
    rotated.map(|(credential, _)| credential)
}

fn status(world: &World, agent: AgentId) -> AgentStatus {
    world.store.tables().agents[&agent].status
}

fn change_credential(world: &World, credential: CredentialId, change: impl FnOnce(&mut Credential)) {
    let mut tables = world.store.tables();
    change(&mut tables.credentials.get_mut(&credential).expect("there").credential);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_suspended_while_its_write_waits_does_not_undo_it() {
    let world = World::start().await;
    world.store.rows.set_delay(Duration::from_millis(50));
    let (admin, caller) = (world.admin(), first(&world));
    let (suspended, undone) = tokio::join!(
        update(&world, &admin, world.agent, AgentStatus::Suspended),
        update(&world, &caller, world.agent, AgentStatus::Active)
    );
    suspended.expect("suspended");
    assert!(matches!(undone, Err(TenantError::CallerNotActive)), "{undone:?}");
    assert_eq!(status(&world, world.agent), AgentStatus::Suspended);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_dies_while_its_write_waits_writes_nothing() {
    let world = World::start().await;
    world.store.rows.set_delay(Duration::from_millis(50));
    let (admin, caller) = (world.admin(), first(&world));
    let killing = async {
        until(async || world.store.rows.calls() == 1).await;
        let revocation = Revocation {
            subject: Subject::Token(caller.token.expect("it has one").token),
            forget_at: Timestamp::EPOCH,
        };
        let applied = world.cluster.apply(vec![ReplicatedChange::Revoke(revocation)]);
        applied.await.expect("applied");
    };
    let admin = Caller { token: None, ..admin };
    let (before, refused, ()) = tokio::join!(
        update(&world, &admin, world.operator.0, AgentStatus::Active),
        generate(&world, &caller, NewCredential::default()),
        killing
    );
    before.expect("what was under way is done");
    assert!(matches!(refused, Err(TenantError::CallerNotActive)), "{refused:?}");
    assert_eq!(world.store.rows.calls(), 2, "the store was not asked for the second");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_can_not_vouch_for_the_token_any_more_writes_nothing() {
    let world = World::start().await;
    let caller = first(&world);
    world.cluster.set_stale(true);
    let refused = generate(&world, &caller, NewCredential::default()).await;
    assert!(matches!(
        refused,
        Err(TenantError::Replication(ReplicationError::Stale))
    ));
}

/// Another node has written it, and this one has not heard of it yet.
#[tokio::test(start_paused = true)]
async fn what_another_node_has_ended_writes_nothing_here() {
    let suspend = |world: &World| {
        world.store.tables().agents.get_mut(&world.agent).expect("there").status = AgentStatus::Suspended;
    };
    let revoke = |world: &World| {
        change_credential(world, world.credential, |row| row.status = CredentialStatus::Revoked);
    };
    let expire = |world: &World| {
        let now = world.clock.now();
        change_credential(world, world.credential, |row| row.expires_at = Some(now));
    };
    let suspend_all = |world: &World| {
        let mut tables = world.store.tables();
        let row = tables.organizations.get_mut(&world.organization).expect("there");
        row.status = OrganizationStatus::Suspended;
    };
    let ends: [&dyn Fn(&World); 4] = [&suspend, &revoke, &expire, &suspend_all];
    for end in ends {
        let world = World::start().await;
        let caller = first(&world);
        end(&world);
        let tenants = &world.actors.tenants;
        let refused = tenants.register_agent(&caller, new_agent("accomplice")).await;
        assert!(matches!(refused, Err(TenantError::CallerNotActive)), "{refused:?}");
        let refused = update(&world, &caller, world.agent, AgentStatus::Suspended).await;
        assert!(matches!(refused, Err(TenantError::CallerNotActive)), "{refused:?}");
        assert!(world.store.events(world.organization).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_not_usable_begets_none_and_the_store_is_not_asked_to() {
    let world = World::start().await;
    let (admin, caller) = (world.admin(), first(&world));
    for (caller, credential) in [(caller, world.credential), (admin, world.operator.1)] {
        change_credential(&world, credential, |row| row.status = CredentialStatus::Revoked);
        let before = world.store.rows.calls();
        let refused = generate(&world, &caller, NewCredential::default()).await;
        assert!(matches!(refused, Err(TenantError::CallerNotActive)), "{refused:?}");
        assert_eq!(world.store.rows.calls(), before + 1, "only for the credential itself");
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_does_not_reactivate_itself() {
    let world = World::start().await;
    let caller = first(&world);
    world.store.tables().agents.get_mut(&world.agent).expect("there").status = AgentStatus::Suspended;
    let refused = update(&world, &caller, world.agent, AgentStatus::Active).await;
    assert!(matches!(refused, Err(TenantError::Forbidden(Forbidden::OwnReturn))));
    let (peer, credential) = world.add_agent(world.organization, "acme", "peer", None);
    let peer = world.caller(peer, credential);
    let back = update(&world, &peer, world.agent, AgentStatus::Active).await;
    assert_eq!(back.expect("a peer may").status, AgentStatus::Active);
    let same = update(&world, &caller, world.agent, AgentStatus::Active).await;
    same.expect("what is active already may say so");
}

#[tokio::test(start_paused = true)]
async fn a_narrow_token_of_a_wide_credential_hands_on_no_more_than_it_holds() {
    let world = World::start().await;
    let (own, admin) = (first(&world), world.admin());
    let narrow = with_token(own, "agents:write");
    let made = generate(&world, &narrow, NewCredential::default()).await.expect("made");
    assert_eq!(made.scopes, Some(scopes("agents:write")));
    let asking = |text: &str| NewCredential {
        scopes: Some(scopes(text)),
        ..NewCredential::default()
    };
    let narrow_admin = with_token(admin.clone(), "agents:write");
    for (caller, asked, needed) in [
        (&narrow, "audit:read", "agents:write audit:read"),
        (&narrow_admin, "admin:orgs", "agents:write admin:orgs"),
    ] {
        match generate(&world, caller, asking(asked)).await {
            Err(TenantError::InsufficientScope(scope)) => assert_eq!(scope, scopes(needed)),
            other => panic!("it is to be told what to ask for: {other:?}"),
        }
    }
    let rotated = rotate(&world, &narrow_admin, world.operator.1).await;
    assert!(
        matches!(rotated, Err(TenantError::InsufficientScope(scope)) if scope.contains(Scope::AdminOrgs)),
        "nor by way of a rotation"
    );
    let wide = generate(&world, &admin, NewCredential::default()).await.expect("made");
    assert_eq!(wide.scopes, None, "administrators are not bound");
    rotate(&world, &admin, world.operator.1).await.expect("rotated");
}

#[tokio::test(start_paused = true)]
async fn only_an_administrator_stops_an_administrator() {
    let world = World::start().await;
    let (caller, admin, target) = (first(&world), world.admin(), world.operator.0);
    for to in [AgentStatus::Suspended, AgentStatus::Decommissioned, AgentStatus::Active] {
        let refused = update(&world, &caller, target, to).await;
        assert!(
            matches!(refused, Err(TenantError::InsufficientScope(scope)) if scope.contains(Scope::AdminOrgs)),
            "{refused:?}"
        );
    }
    let refused = world.actors.tenants.decommission_agent(&caller, target, None).await;
    assert!(matches!(refused, Err(TenantError::InsufficientScope(_))));
    assert_eq!(status(&world, target), AgentStatus::Active);
    let (peer, _) = world.add_agent(world.organization, "acme", "peer", None);
    update(&world, &caller, peer, AgentStatus::Suspended)
        .await
        .expect("an ordinary peer it may");
    let (second, credential) = world.add_agent(world.organization, "acme", "second", Some(ScopeSet::all()));
    update(&world, &admin, second, AgentStatus::Suspended)
        .await
        .expect("as an administrator");
    let now = world.clock.now();
    change_credential(&world, credential, |row| row.expires_at = Some(now));
    update(&world, &caller, second, AgentStatus::Decommissioned)
        .await
        .expect("it is none any more");
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_expires_makes_neither_itself_nor_another_last_longer() {
    let world = World::start().await;
    let caller = first(&world);
    let [end, later] = [3600, 3601].map(|seconds| world.clock.now().plus(Duration::from_secs(seconds)));
    let until = |expires_at| NewCredential {
        expires_at: Some(expires_at),
        ..NewCredential::default()
    };
    let lasting = generate(&world, &caller, NewCredential::default()).await.expect("made");
    assert_eq!(lasting.expires_at, None);
    change_credential(&world, world.credential, |row| row.expires_at = Some(end));
    let made = generate(&world, &caller, NewCredential::default()).await.expect("made");
    assert_eq!(made.expires_at, Some(end), "inherited");
    let refused = generate(&world, &caller, until(later)).await;
    assert!(matches!(refused, Err(TenantError::Forbidden(Forbidden::OutlivesOwn))));
    let longer = RotateCredential {
        expires_at: Some(later),
        overlap: None,
    };
    let tenants = &world.actors.tenants;
    let refused = tenants
        .rotate_credential(&caller, world.agent, world.credential, longer)
        .await;
    assert!(matches!(refused, Err(TenantError::Forbidden(Forbidden::OutlivesOwn))));
    let rotated = rotate(&world, &caller, lasting.credential_id).await.expect("rotated");
    assert_eq!(rotated.expires_at, Some(end), "whoever rotates it knows its secret");
    let prolonged = tenants
        .rotate_credential(&world.admin(), world.agent, world.credential, longer)
        .await;
    assert_eq!(prolonged.expect("an administrator may").0.expires_at, Some(later));
}

#[tokio::test(start_paused = true)]
async fn an_expired_credential_is_not_rotated_back_to_life() {
    let world = World::start().await;
    let now = world.clock.now();
    change_credential(&world, world.credential, |row| row.expires_at = Some(now));
    let tenants = &world.actors.tenants;
    let revived = RotateCredential {
        expires_at: Some(now.plus(Duration::from_secs(60))),
        overlap: None,
    };
    let refused = tenants
        .rotate_credential(&world.admin(), world.agent, world.credential, revived)
        .await;
    assert!(matches!(refused, Err(TenantError::CredentialExpired)));
}

#[tokio::test(start_paused = true)]
async fn an_agent_has_a_limited_number_of_credentials() {
    let world = World::start().await;
    let caller = first(&world);
    for _ in 1..Credential::ACTIVE_MAX {
        generate(&world, &caller, NewCredential::default()).await.expect("made");
    }
    let refused = generate(&world, &caller, NewCredential::default()).await;
    assert!(matches!(refused, Err(TenantError::CredentialLimitExceeded)));
}
