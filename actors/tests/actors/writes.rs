//! Changes of agents: durable, audited, known everywhere before they are answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actors::{ActorSettings, Caller, TenantError, TenantSettings, Victim};
use domain::ports::{ReplicationError, RevocationView, StoreError};
use domain::{
    Action, Agent, AgentId, AgentPatch, AgentStatus, NodeId, OrganizationId, Outcome, ReplicatedChange, Revision,
    Subject, TokenFacts,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::support::{World, eager, new_agent, until};

fn to(status: AgentStatus) -> AgentPatch {
    AgentPatch {
        status: Some(status),
        ..AgentPatch::default()
    }
}

fn owner(name: &str) -> AgentPatch {
    AgentPatch {
        owner: Some(name.into()),
        ..AgentPatch::default()
    }
}

async fn update(world: &World, patch: AgentPatch) -> Result<Agent, TenantError> {
    world
        .actors
        .tenants
        .update_agent(&world.admin(), world.agent, patch, None)
        .await
}

/// A token of the first agent that was issued when the state was at `revision`.
fn token(world: &World, revision: Revision) -> TokenFacts {
    TokenFacts {
        issued_at: revision,
        ..world.token(world.agent, world.credential)
    }
}

fn actions(world: &World) -> Vec<Action> {
    world
        .store
        .events(world.organization)
        .iter()
        .map(|event| event.action.known().expect("written by us"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_registration_is_stored_audited_and_told_who_when_and_from_where() {
    let world = World::start().await;
    let agent = world
        .actors
        .tenants
        .register_agent(&world.admin(), new_agent("second"))
        .await
        .expect("registered");
    assert_eq!(
        (agent.organization_id, agent.status, agent.row_version),
        (world.organization, AgentStatus::Active, 1)
    );
    let event = world.store.events(world.organization).remove(0);
    assert_eq!(
        (event.action, event.agent_id),
        (Action::AgentCreated.into(), Some(world.operator.0))
    );
    assert_eq!(
        (event.ip_address.as_deref(), event.timestamp),
        (Some("192.0.2.7"), agent.created_at)
    );
    let expected = format!(
        r#"{{"targetAgentId":"{}","email":"second@agents.example"}}"#,
        agent.agent_id
    );
    assert_eq!(event.metadata.as_str(), expected);
    let again = world
        .actors
        .tenants
        .register_agent(&world.admin(), new_agent("second"))
        .await;
    assert!(matches!(again, Err(TenantError::AgentAlreadyExists)));
    assert_eq!(
        world.store.events(world.organization).len(),
        1,
        "what was refused is not in the log"
    );
}

#[tokio::test(start_paused = true)]
async fn a_suspension_is_answered_when_the_agents_tokens_are_dead() {
    let world = World::start().await;
    let before = world.authorize().await.expect("granted").revision;
    assert_eq!(world.cluster.is_revoked(&token(&world, before)), Ok(false));
    let suspended = update(&world, to(AgentStatus::Suspended)).await.expect("suspended");
    assert_eq!((suspended.status, suspended.row_version), (AgentStatus::Suspended, 2));
    assert_eq!(world.cluster.is_revoked(&token(&world, before)), Ok(true));
    assert!(world.authorize().await.is_err(), "and it gets no new ones");
    update(&world, to(AgentStatus::Active)).await.expect("reactivated");
    let after = world.authorize().await.expect("granted").revision;
    assert_eq!(
        world.cluster.is_revoked(&token(&world, after)),
        Ok(false),
        "new tokens live"
    );
    assert_eq!(
        world.cluster.is_revoked(&token(&world, before)),
        Ok(true),
        "the old ones stay dead"
    );
    let expected = [Action::AgentSuspended, Action::AuthFailed, Action::AgentReactivated];
    assert_eq!(actions(&world), expected, "the attempt in between is in the log too");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_a_member_has_not_confirmed_is_answered_and_the_log_names_the_member() {
    let world = World::start().await;
    world.cluster.set_silent(&[NodeId(2), NodeId(7)]);
    update(&world, to(AgentStatus::Suspended)).await.expect("suspended");
    let log = world.store.events(world.organization);
    let missed = log
        .iter()
        .find(|event| event.action == Action::ClusterMemberMissed)
        .expect("told");
    assert_eq!(
        missed.metadata.as_str(),
        r#"{"change":"agent.suspended","unconfirmedMembers":"2 7"}"#
    );
    assert_eq!(
        (missed.agent_id, missed.ip_address.as_deref(), missed.outcome.clone()),
        (Some(world.operator.0), Some("192.0.2.7"), Outcome::Failure.into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_revocation_is_remembered_for_as_long_as_the_longest_token_lives() {
    let world = World::start().await;
    let now = domain::ports::Clock::now(world.clock.as_ref());
    update(&world, to(AgentStatus::Suspended)).await.expect("suspended");
    let [
        ReplicatedChange::Revoke(revocation),
        ReplicatedChange::AgentChanged(agent),
    ] = world.cluster.log()[..]
    else {
        panic!(
            "a revocation and an outdated cache were expected, not {:?}",
            world.cluster.log()
        );
    };
    assert_eq!((revocation.subject, agent), (Subject::Agent(world.agent), world.agent));
    assert!(revocation.forget_at >= now.plus(Duration::from_secs(86_400)));
}

#[tokio::test(start_paused = true)]
async fn a_decommissioned_agent_is_gone_for_good_and_every_further_order_says_so() {
    let world = World::start().await;
    let before = world.authorize().await.expect("granted").revision;
    world
        .actors
        .tenants
        .decommission_agent(&world.admin(), world.agent, None)
        .await
        .expect("decommissioned");
    assert_eq!(world.cluster.is_revoked(&token(&world, before)), Ok(true));
    let stored = world.store.tables().credentials[&world.credential].credential.clone();
    assert_eq!(stored.status, domain::CredentialStatus::Revoked);
    let again = world
        .actors
        .tenants
        .decommission_agent(&world.admin(), world.agent, None)
        .await;
    assert!(matches!(again, Err(TenantError::AgentAlreadyDecommissioned)));
    for patch in [to(AgentStatus::Active), to(AgentStatus::Suspended), owner("other")] {
        assert!(matches!(
            update(&world, patch).await,
            Err(TenantError::AgentAlreadyDecommissioned)
        ));
    }
    assert_eq!(actions(&world), [Action::AgentDecommissioned]);
}

/// Found by thinking of a client that repeats what was answered 503: the row says "done", the cluster has not heard of it.
#[tokio::test(start_paused = true)]
async fn an_order_that_is_repeated_after_a_failed_replication_is_not_answered_before_it_is_true_everywhere() {
    let world = World::start().await;
    let before = world.authorize().await.expect("granted").revision;
    world.cluster.applying.set_away(true);
    let failed = world
        .actors
        .tenants
        .decommission_agent(&world.admin(), world.agent, None)
        .await;
    assert!(matches!(
        failed,
        Err(TenantError::Replication(ReplicationError::Unavailable(_)))
    ));
    let repeated = world
        .actors
        .tenants
        .decommission_agent(&world.admin(), world.agent, None)
        .await;
    assert!(
        matches!(repeated, Err(TenantError::Replication(_))),
        "not \"already decommissioned\": its tokens live"
    );
    assert_eq!(world.cluster.is_revoked(&token(&world, before)), Ok(false));
    world.cluster.applying.set_away(false);
    let repeated = world
        .actors
        .tenants
        .decommission_agent(&world.admin(), world.agent, None)
        .await;
    assert!(matches!(repeated, Err(TenantError::AgentAlreadyDecommissioned)));
    assert_eq!(world.cluster.is_revoked(&token(&world, before)), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_could_not_be_made_known_is_no_success_and_the_relay_finishes_it() {
    let world = World::start().await;
    let before = world.authorize().await.expect("granted").revision;
    world.cluster.applying.set_away(true);
    let failed = update(&world, to(AgentStatus::Suspended)).await;
    assert!(matches!(failed, Err(TenantError::Replication(_))));
    assert_eq!(world.store.pending_count(), 1);
    world.cluster.applying.set_away(false);
    until(async || world.store.pending_count() == 0).await;
    assert_eq!(world.cluster.is_revoked(&token(&world, before)), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_has_seen_an_older_revision_is_told_so() {
    let world = World::start().await;
    let tenants = &world.actors.tenants;
    let caller = world.admin();
    tenants
        .update_agent(&caller, world.agent, owner("a"), Some(1))
        .await
        .expect("the latest revision");
    let stale = tenants.update_agent(&caller, world.agent, owner("b"), Some(1)).await;
    assert!(matches!(stale, Err(TenantError::VersionMismatch)));
    let stale = tenants.decommission_agent(&caller, world.agent, Some(1)).await;
    assert!(matches!(stale, Err(TenantError::VersionMismatch)));
    assert_eq!(
        tenants
            .update_agent(&caller, world.agent, owner("c"), None)
            .await
            .expect("any")
            .row_version,
        3
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_of_another_organization_is_seen_or_changed() {
    let world = World::start().await;
    let other = OrganizationId(Uuid::from_u128(2));
    let (neighbour, credential) = world.add_agent(other, "globex", "neighbour", None);
    let (tenants, caller) = (&world.actors.tenants, world.admin());
    let result = tenants.update_agent(&caller, neighbour, owner("me"), None).await;
    assert!(matches!(result, Err(TenantError::AgentNotFound)));
    let result = tenants.decommission_agent(&caller, neighbour, None).await;
    assert!(matches!(result, Err(TenantError::AgentNotFound)));
    let result = tenants
        .generate_credential(&caller, neighbour, Default::default())
        .await;
    assert!(matches!(result, Err(TenantError::AgentNotFound)));
    let result = tenants.revoke_credential(&caller, neighbour, credential).await;
    assert!(matches!(result, Err(TenantError::CredentialNotFound)));
    assert!(world.store.events(other).is_empty() && world.cluster.log().is_empty());
}

#[tokio::test(start_paused = true)]
async fn writes_of_one_organization_are_made_one_after_the_other_and_decisions_do_not_wait_for_them() {
    let world = World::start().await;
    world.authorize().await.expect("warm");
    world.store.rows.set_delay(Duration::from_millis(100));
    let before = tokio::time::Instant::now();
    let writes = futures::future::join_all((0..5).map(|number| update(&world, owner(&format!("{number}")))));
    let decide = async {
        for _ in 0..100 {
            world.authorize().await.expect("granted");
        }
        before.elapsed()
    };
    let (writes, decided) = tokio::join!(writes, decide);
    assert_eq!(decided, Duration::ZERO, "no decision waits for the store");
    let versions: Vec<u64> = writes
        .into_iter()
        .map(|agent| agent.expect("updated").row_version)
        .collect();
    assert_eq!(versions, [2, 3, 4, 5, 6], "in the order in which they came");
    assert!(
        before.elapsed() >= Duration::from_millis(1000),
        "two calls of the store each, none at the same time"
    );
}

#[tokio::test(start_paused = true)]
async fn writes_are_bounded() {
    let tenant = TenantSettings {
        writes_max: 3,
        ..TenantSettings::default()
    };
    let world = World::start_with(ActorSettings {
        tenant,
        ..ActorSettings::default()
    })
    .await;
    world.store.rows.set_delay(Duration::from_millis(10));
    let results = futures::future::join_all((0..10).map(|_| update(&world, owner("x")))).await;
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(TenantError::Unavailable { .. })))
        .count();
    assert_eq!(refused, 6, "one is under way, three wait");
    update(&world, owner("y")).await.expect("there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_waited_for_until_the_deadline() {
    let world = World::start().await;
    world.store.rows.set_delay(Duration::from_secs(3600));
    let before = tokio::time::Instant::now();
    assert!(matches!(
        update(&world, owner("x")).await,
        Err(TenantError::Unavailable { .. })
    ));
    assert_eq!(before.elapsed(), TenantSettings::default().write_deadline);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_and_one_that_panics_are_errors_of_one_write() {
    let world = World::start().await;
    world.store.rows.set_away(true);
    assert!(matches!(
        update(&world, owner("x")).await,
        Err(TenantError::Store(StoreError::Unavailable(_)))
    ));
    world.store.rows.set_away(false);
    world.store.rows.panic_once();
    assert!(matches!(
        update(&world, owner("x")).await,
        Err(TenantError::Unavailable { .. })
    ));
    update(&world, owner("x")).await.expect("the next one works");
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_is_finished_when_the_caller_goes_away_and_when_the_node_stops() {
    let world = World::start().await;
    world.store.rows.set_delay(Duration::from_millis(50));
    let (tenants, caller, agent) = (world.actors.tenants.clone(), world.admin(), world.agent);
    let calls: Vec<_> = (0..3)
        .map(|number| {
            let (tenants, caller) = (tenants.clone(), caller.clone());
            let patch = owner(&format!("{number}"));
            tokio::spawn(async move { tenants.update_agent(&caller, agent, patch, None).await })
        })
        .collect();
    until(async || world.store.rows.calls() == 1).await;
    calls[0].abort();
    let store = world.store.clone();
    world.actors.shutdown(Duration::from_secs(5)).await;
    assert_eq!(store.tables().agents[&agent].row_version, 4);
    assert_eq!(store.pending_count(), 0);
}

/// Every actor that a write goes through, killed over and over under load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_organizations_and_the_relay_under_load_loses_no_acknowledged_write() {
    let world = Arc::new(World::start_with(eager()).await);
    world.store.rows.set_delay(Duration::from_micros(100));
    world.cluster.applying.set_delay(Duration::from_micros(100));
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let world = world.clone();
        tasks.spawn(async move { register_and_suspend(&world, task).await });
    }
    let mut acknowledged = Vec::new();
    while !tasks.is_empty() {
        world.actors.kill(Victim::Tenant(world.organization));
        world.actors.kill(Victim::OutboxRelay);
        tokio::select! {
            Some(done) = tasks.join_next() => acknowledged.extend(done.expect("no panic")),
            () = tokio::time::sleep(Duration::from_millis(3)) => {}
        }
    }
    assert!(
        acknowledged.len() > 20,
        "it comes back: only {} writes were acknowledged",
        acknowledged.len()
    );
    until(async || world.store.pending_count() == 0).await;
    world.store.verify_chain(world.organization);
    let log: BTreeSet<AgentId> = world.cluster.log().iter().filter_map(killed).collect();
    let tables = world.store.tables();
    for (agent, is_suspended) in acknowledged {
        let row = tables.agents.get(&agent).expect("what was acknowledged is there");
        if is_suspended {
            assert_eq!((row.status, log.contains(&agent)), (AgentStatus::Suspended, true));
        }
    }
}

fn killed(change: &ReplicatedChange) -> Option<AgentId> {
    match change {
        ReplicatedChange::Revoke(revocation) => match revocation.subject {
            Subject::Agent(agent) => Some(agent),
            _ => None,
        },
        _ => None,
    }
}

/// Registers agents and suspends them; answers those whose registration was acknowledged, and whether the suspension was.
async fn register_and_suspend(world: &World, task: u32) -> Vec<(AgentId, bool)> {
    let caller: Caller = world.admin();
    let mut acknowledged = Vec::new();
    for number in 0..40 {
        let new = new_agent(&format!("agent-{task}-{number}"));
        match world.actors.tenants.register_agent(&caller, new).await {
            Ok(agent) => {
                let patch = to(AgentStatus::Suspended);
                let suspended = world
                    .actors
                    .tenants
                    .update_agent(&caller, agent.agent_id, patch, None)
                    .await;
                acknowledged.push((agent.agent_id, suspended.is_ok()));
            }
            Err(TenantError::Unavailable { retry_after }) => assert!(retry_after > Duration::ZERO),
            Err(other) => panic!("nothing else can be wrong: {other}"),
        }
    }
    acknowledged
}
