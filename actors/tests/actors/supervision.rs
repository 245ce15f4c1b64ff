//! What happens when actors fail: they come back, a bad one is left alone, the others never notice.

use std::time::Duration;

use actors::{ActorKind, ActorSettings, AuditError, AuthorizeError, RestartPolicy, TenantSettings, Victim};
use domain::OrganizationId;
use uuid::Uuid;

use super::support::{SECRET, World, origin, request, until};

/// Kills something and waits until its death was noticed, as often as it takes to be left alone.
async fn kill_until_down(world: &World, victim: Victim, kind: ActorKind) {
    until(async || {
        world.actors.kill(victim);
        world.actors.health.down() == [kind]
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_dies_now_and_then_comes_back_and_the_node_stays_ready() {
    let world = World::start().await;
    for victim in [
        Victim::AuditWriter,
        Victim::OutboxRelay,
        Victim::Tenants,
        Victim::Limiters,
    ] {
        world.actors.kill(victim);
        until(async || world.actors.audit.record(world.record()).await.is_ok()).await;
        until(async || world.authorize().await.is_ok()).await;
        assert!(world.actors.health.is_ready(), "{victim:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_too_often_is_left_alone_and_tried_again_later_while_the_others_work() {
    let world = World::start().await;
    kill_until_down(&world, Victim::AuditWriter, ActorKind::AuditWriter).await;
    assert!(!world.actors.health.is_ready());
    let refused = world.actors.audit.record(world.record()).await;
    assert!(matches!(refused, Err(AuditError::Unavailable { retry_after }) if retry_after > Duration::ZERO));
    world.authorize().await.expect("organizations go on");
    let mut changes = world.actors.health.changes();
    let pause = RestartPolicy::default().pause;
    let back = tokio::time::timeout(pause + Duration::from_secs(1), changes.wait_for(|down| down.is_empty())).await;
    assert!(back.is_ok(), "it is tried again after the pause");
    world
        .actors
        .audit
        .record(world.record())
        .await
        .expect("the writer is back");
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_fails_too_often_is_refused_for_a_while_and_no_other() {
    let world = World::start().await;
    let other = OrganizationId(Uuid::from_u128(2));
    let (neighbour, _) = world.add_agent(other, "globex", "neighbour", None);
    let ask_neighbour = async || {
        world
            .actors
            .tenants
            .authorize(&request(neighbour, SECRET), &origin())
            .await
    };
    let is_refused = |result: Result<_, AuthorizeError>| matches!(result, Err(AuthorizeError::Unavailable { .. }));
    // Killed while it is being left alone it can't be; so in the end it stays refused.
    let mut refusals = 0;
    until(async || {
        world.actors.kill(Victim::Tenant(world.organization));
        refusals = if is_refused(world.authorize().await) {
            refusals + 1
        } else {
            0
        };
        refusals > 3
    })
    .await;
    ask_neighbour().await.expect("the neighbour does not notice");
    assert!(world.actors.health.is_ready(), "the node goes on");
    tokio::time::sleep(RestartPolicy::default().pause).await;
    world.authorize().await.expect("it is tried again after the pause");
}

#[tokio::test(start_paused = true)]
async fn when_the_supervisor_dies_everything_is_started_again() {
    let world = World::start().await;
    world.authorize().await.expect("warm");
    world.actors.kill(Victim::Supervisor);
    until(async || !world.actors.health.is_ready()).await;
    assert_eq!(world.actors.health.down(), [ActorKind::Supervisor]);
    until(async || world.actors.health.is_ready()).await;
    world.authorize().await.expect("organizations are back");
    world
        .actors
        .audit
        .record(world.record())
        .await
        .expect("the writer is back");
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_every_call_is_refused() {
    let world = World::start().await;
    let (audit, tenants, limiter) = (
        world.actors.audit.clone(),
        world.actors.tenants.clone(),
        world.actors.limiter.clone(),
    );
    let (record, health) = (world.record(), world.actors.health.clone());
    world.actors.shutdown(Duration::from_secs(5)).await;
    assert!(matches!(
        audit.record(record).await,
        Err(AuditError::Unavailable { .. })
    ));
    let authorized = tenants.authorize(&request(world.agent, SECRET), &origin()).await;
    assert!(matches!(authorized, Err(AuthorizeError::Unavailable { .. })));
    assert!(!limiter.admit(world.agent, actors::LimitClass::Token).await.allowed);
    assert!(!health.is_ready());
}

#[tokio::test(start_paused = true)]
async fn two_nodes_live_in_one_process_and_do_not_notice_each_other() {
    let (one, other) = (World::start().await, World::start().await);
    one.authorize().await.expect("the first works");
    other.authorize().await.expect("the second works");
    one.actors.shutdown(Duration::from_secs(5)).await;
    other.authorize().await.expect("the second goes on");
    other
        .actors
        .audit
        .record(other.record())
        .await
        .expect("the second goes on");
}

#[tokio::test(start_paused = true)]
async fn as_many_organizations_live_as_are_allowed_and_the_longest_unused_makes_room() {
    let tenant = TenantSettings {
        tenants_max: 3,
        ..TenantSettings::default()
    };
    let world = World::start_with(ActorSettings {
        tenant,
        ..ActorSettings::default()
    })
    .await;
    let mut agents = Vec::new();
    for number in 10..30 {
        let organization = OrganizationId(Uuid::from_u128(number));
        agents.push(world.add_agent(organization, &format!("org{number}"), "agent", None).0);
    }
    for _ in 0..3 {
        for agent in &agents {
            tokio::time::sleep(Duration::from_millis(1)).await;
            world
                .actors
                .tenants
                .authorize(&request(*agent, SECRET), &origin())
                .await
                .expect("room is made");
        }
    }
}
