//! Who may have a token: from warm clients without the store, never from what is known to be outdated.

use std::sync::Arc;
use std::time::Duration;

use actors::{ActorSettings, AuthorizeError, TenantSettings, Victim};
use domain::ports::{Replication, ReplicationError, StoreError};
use domain::{Action, AgentId, Outcome, ReplicatedChange, Revision, ScopeSet};
use protocol::oauth::OAuthErrorCode;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::support::{SECRET, World, eager, new_agent, origin, presented, request, until};

async fn ask(world: &World, client: AgentId, secret: &str) -> Result<actors::Authorized, AuthorizeError> {
    world
        .actors
        .tenants
        .authorize(&request(client, secret), &origin())
        .await
}

fn code<T: std::fmt::Debug>(result: Result<T, AuthorizeError>) -> OAuthErrorCode {
    match result {
        Err(AuthorizeError::OAuth(error)) => error.code,
        other => panic!("an OAuth error was expected, not {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_warm_client_is_decided_without_the_store() {
    let world = World::start().await;
    let first = world.authorize().await.expect("granted");
    assert_eq!(
        (first.grant.agent, first.grant.organization),
        (world.agent, world.organization)
    );
    assert_eq!(first.grant.credential, world.credential);
    world.store.loading.set_away(true);
    world.store.rows.set_away(true);
    for _ in 0..100 {
        world.authorize().await.expect("granted, though the store is away");
    }
    assert_eq!(world.store.loading.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn however_many_ask_for_a_cold_client_it_is_looked_up_once() {
    let world = World::start().await;
    world.store.loading.set_delay(Duration::from_millis(20));
    let results = futures::future::join_all((0..200).map(|_| world.authorize())).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(world.store.loading.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_it_was_read_is_read_again() {
    let world = World::start().await;
    assert_eq!(world.authorize().await.expect("granted").revision, Revision(0));
    world.store.tables().agents.get_mut(&world.agent).expect("there").status = domain::AgentStatus::Suspended;
    world.authorize().await.expect("nobody has announced the change yet");
    world
        .cluster
        .apply(vec![ReplicatedChange::AgentChanged(world.agent)])
        .await
        .expect("applied");
    assert_eq!(code(world.authorize().await), OAuthErrorCode::UnauthorizedClient);
    world.store.tables().agents.get_mut(&world.agent).expect("there").status = domain::AgentStatus::Active;
    world
        .cluster
        .apply(vec![ReplicatedChange::OrganizationChanged(world.organization)])
        .await
        .expect("applied");
    assert_eq!(world.authorize().await.expect("granted").revision, Revision(2));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_changes_while_it_is_read_is_read_once_more() {
    let world = World::start().await;
    world.store.loading.set_delay(Duration::from_millis(20));
    let change = async {
        until(async || world.store.loading.calls() == 1).await;
        world
            .cluster
            .apply(vec![ReplicatedChange::AgentChanged(world.agent)])
            .await
            .expect("applied");
    };
    let (result, ()) = tokio::join!(world.authorize(), change);
    result.expect("granted on what was read last");
    assert_eq!(world.store.loading.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_can_not_vouch_decides_nothing() {
    let world = World::start().await;
    world.authorize().await.expect("warm");
    world.cluster.set_stale(true);
    let refused = world.authorize().await;
    assert!(matches!(
        refused,
        Err(AuthorizeError::Replication(ReplicationError::Stale))
    ));
    let refused = world
        .actors
        .tenants
        .authenticate(&presented(world.agent, SECRET), &origin())
        .await;
    assert!(matches!(
        refused,
        Err(AuthorizeError::Replication(ReplicationError::Stale))
    ));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_client_gets_the_same_answer_as_a_wrong_secret_and_is_looked_up_once_in_a_while() {
    let world = World::start().await;
    let stranger = AgentId(Uuid::from_u128(99));
    let wrong = ask(&world, world.agent, "wrong")
        .await
        .expect_err("refused")
        .to_string();
    for _ in 0..50 {
        let unknown = ask(&world, stranger, SECRET).await.expect_err("refused").to_string();
        assert_eq!(unknown, wrong);
    }
    assert_eq!(world.store.loading.calls(), 2, "one for each client");
    tokio::time::sleep(TenantSettings::default().unknown_for).await;
    assert_eq!(code(ask(&world, stranger, SECRET).await), OAuthErrorCode::InvalidClient);
    assert_eq!(world.store.loading.calls(), 3);
}

/// Found by measuring: unknown ids were looked up again every three seconds, and known ones answered from memory.
#[tokio::test(start_paused = true)]
async fn a_failing_client_costs_as_many_look_ups_whether_it_exists_or_not() {
    let world = World::start().await;
    world.authorize().await.expect("warm");
    let look_ups = async |client, since: u64| {
        for _ in 0..5 {
            assert_eq!(code(ask(&world, client, "wrong").await), OAuthErrorCode::InvalidClient);
        }
        let presented = presented(client, "wrong");
        let refused = world.actors.tenants.authenticate(&presented, &origin()).await;
        assert_eq!(code(refused), OAuthErrorCode::InvalidClient);
        world.store.loading.calls() - since
    };
    let (cold, _) = world.add_agent(world.organization, "acme", "cold", None);
    for _ in 0..3 {
        for client in [AgentId(Uuid::from_u128(99)), world.agent, cold] {
            assert_eq!(look_ups(client, world.store.loading.calls()).await, 1);
        }
        tokio::time::sleep(TenantSettings::default().unknown_for).await;
    }
    let before = world.store.loading.calls();
    world.authorize().await.expect("granted");
    assert_eq!(
        world.store.loading.calls(),
        before,
        "who does not fail is not looked up"
    );
}

#[tokio::test(start_paused = true)]
async fn a_newly_registered_agent_can_be_used_at_once() {
    let world = World::start().await;
    let agent = world
        .actors
        .tenants
        .register_agent(&world.admin(), new_agent("second"))
        .await
        .expect("registered");
    let caller = world.admin();
    let made = world
        .actors
        .tenants
        .generate_credential(&caller, agent.agent_id, Default::default())
        .await;
    let (_, secret) = made.expect("made");
    let authorized = ask(&world, agent.agent_id, secret.expose()).await.expect("granted");
    assert_eq!(authorized.grant.agent, agent.agent_id);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_told_apart_from_a_client_that_does_not_exist() {
    let world = World::start().await;
    world.store.loading.set_away(true);
    assert!(matches!(
        world.authorize().await,
        Err(AuthorizeError::Store(StoreError::Unavailable(_)))
    ));
    world.store.loading.set_away(false);
    world.authorize().await.expect("nothing wrong is remembered");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_waited_for_until_the_deadline() {
    let world = World::start().await;
    world.store.loading.set_delay(Duration::from_secs(3600));
    let before = tokio::time::Instant::now();
    assert!(matches!(
        world.authorize().await,
        Err(AuthorizeError::Unavailable { .. })
    ));
    assert_eq!(before.elapsed(), TenantSettings::default().load_deadline);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_panics_is_an_error_for_those_who_wait_and_nobody_else() {
    let world = World::start().await;
    world.store.loading.panic_once();
    assert!(matches!(
        world.authorize().await,
        Err(AuthorizeError::Unavailable { .. })
    ));
    world.authorize().await.expect("the next look-up works");
}

#[tokio::test(start_paused = true)]
async fn look_ups_are_bounded() {
    let tenant = TenantSettings {
        loads_max: 5,
        ..TenantSettings::default()
    };
    let world = World::start_with(ActorSettings {
        tenant,
        ..ActorSettings::default()
    })
    .await;
    world.store.loading.set_delay(Duration::from_millis(20));
    let asked = (0..20).map(|number| ask(&world, AgentId(Uuid::from_u128(1000 + number)), SECRET));
    let results = futures::future::join_all(asked.collect::<Vec<_>>()).await;
    let overloaded = results
        .iter()
        .filter(|result| matches!(result, Err(AuthorizeError::Unavailable { .. })));
    assert_eq!((overloaded.count(), world.store.loading.calls()), (15, 5));
}

#[tokio::test(start_paused = true)]
async fn decisions_are_bounded() {
    let tenant = TenantSettings {
        decisions_max: 10,
        ..TenantSettings::default()
    };
    let world = World::start_with(ActorSettings {
        tenant,
        ..ActorSettings::default()
    })
    .await;
    world.authorize().await.expect("warm");
    let results = futures::future::join_all((0..25).map(|_| world.authorize())).await;
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(AuthorizeError::Unavailable { .. })));
    assert_eq!(refused.count(), 15);
    world.authorize().await.expect("there is room again");
}

#[tokio::test(start_paused = true)]
async fn failed_authentications_are_in_the_log_with_their_origin_and_bounded() {
    let world = World::start().await;
    for _ in 0..100 {
        assert_eq!(
            code(ask(&world, world.agent, "wrong").await),
            OAuthErrorCode::InvalidClient
        );
    }
    let events = || world.store.events(world.organization);
    until(async || events().len() == 10).await;
    let event = events().remove(0);
    assert_eq!(event.action, Action::AuthFailed);
    assert_eq!(event.outcome, Outcome::Failure);
    assert_eq!(
        (event.agent_id, event.ip_address.as_deref()),
        (Some(world.agent), Some("192.0.2.7"))
    );
    assert_eq!(
        event.metadata.as_str(),
        r#"{"reason":"invalid_client","method":"client_secret_basic"}"#
    );
    tokio::time::sleep(Duration::from_secs(75)).await;
    let summary = events().remove(10);
    assert!(
        summary.metadata.as_str().contains(r#""failures":"90""#),
        "{}",
        summary.metadata.as_str()
    );
    assert_eq!(events().len(), 11);
    world.store.verify_chain(world.organization);
}

#[tokio::test(start_paused = true)]
async fn failures_that_the_log_could_not_take_are_summed_up_when_the_node_stops() {
    let world = World::start().await;
    for _ in 0..12 {
        assert_eq!(
            code(ask(&world, world.agent, "wrong").await),
            OAuthErrorCode::InvalidClient
        );
    }
    let (store, organization) = (world.store.clone(), world.organization);
    world.actors.shutdown(Duration::from_secs(5)).await;
    let last = store.events(organization).pop().expect("there are some");
    assert!(last.metadata.as_str().contains(r#""failures":"2""#));
}

#[tokio::test(start_paused = true)]
async fn a_client_authenticates_for_something_else_than_a_token() {
    let world = World::start().await;
    let scopes: ScopeSet = "tokens:read".parse().expect("a scope");
    let (agent, credential) = world.add_agent(world.organization, "acme", "introspector", Some(scopes));
    let client = world
        .actors
        .tenants
        .authenticate(&presented(agent, SECRET), &origin())
        .await
        .expect("authenticated");
    assert_eq!(
        (client.agent, client.credential, client.scopes),
        (agent, credential, scopes)
    );
    assert_eq!(client.organization, world.organization);
    let refused = world
        .actors
        .tenants
        .authenticate(&presented(agent, "wrong"), &origin())
        .await;
    assert_eq!(code(refused), OAuthErrorCode::InvalidClient);
}

#[tokio::test(start_paused = true)]
async fn the_use_of_a_credential_for_something_else_than_a_token_is_written_down_too() {
    let world = World::start().await;
    let tenants = &world.actors.tenants;
    let used = || {
        world.store.tables().credentials[&world.credential]
            .credential
            .last_used_at
    };
    for round in 1..=2 {
        for _ in 0..50 {
            let client = tenants.authenticate(&presented(world.agent, SECRET), &origin()).await;
            assert!(client.is_ok());
        }
        let before = used();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(used() > before, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_credentials_last_use_is_written_down_in_bulk() {
    let world = World::start().await;
    for _ in 0..50 {
        world.authorize().await.expect("granted");
    }
    let used = || {
        world.store.tables().credentials[&world.credential]
            .credential
            .last_used_at
    };
    assert_eq!((used(), world.store.rows.calls()), (None, 0));
    world.store.rows.set_away(true);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        (used(), world.store.rows.calls()),
        (None, 1),
        "it was tried once within a minute"
    );
    world.store.rows.set_away(false);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(used().is_some(), "and again later");
}

#[tokio::test(start_paused = true)]
async fn an_idle_organization_is_retired_with_everything_written_down_and_comes_back() {
    let world = World::start().await;
    world.authorize().await.expect("granted");
    tokio::time::sleep(Duration::from_secs(400)).await;
    world.store.loading.set_away(true);
    world.authorize().await.expect("its clients are warm still");
}

/// Killed over and over under load: everybody gets a decision or is told to come back, in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_an_organization_under_load_answers_everybody() {
    let world = Arc::new(World::start_with(eager()).await);
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let world = world.clone();
        tasks.spawn(async move {
            let mut granted = 0;
            for _ in 0..200 {
                match world.authorize().await {
                    Ok(authorized) => granted += u32::from(authorized.grant.agent == world.agent),
                    Err(AuthorizeError::Unavailable { retry_after }) => assert!(retry_after > Duration::ZERO),
                    Err(other) => panic!("nothing else can be wrong: {other}"),
                }
            }
            granted
        });
    }
    let mut granted = 0;
    while !tasks.is_empty() {
        world.actors.kill(Victim::Tenant(world.organization));
        world.actors.kill(Victim::Tenants);
        tokio::select! {
            Some(done) = tasks.join_next() => granted += done.expect("no panic"),
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
        }
    }
    assert!(granted > 3200, "it comes back: only {granted} of 6400 were granted");
}
