//! The outbox relay: what stayed behind is finished, whatever was away or died.

use std::sync::Arc;
use std::time::Duration;

use actors::{ActorSettings, OutboxSettings, Victim};
use domain::ports::{Agents, Clock};
use domain::{
    Action, AgentId, AgentPatch, AgentStatus, AuditRecord, Change, OrganizationId, OutboxMessage, ReplicatedChange,
    Timestamp,
};
use uuid::Uuid;

use super::support::{MemoryCluster, MemoryStore, World, eager, until};

fn changed(number: u128) -> ReplicatedChange {
    ReplicatedChange::AgentChanged(AgentId(Uuid::from_u128(number)))
}

/// Puts an entry into the outbox as a node that crashed right after its write would leave it.
fn leave_behind(store: &MemoryStore, record: AuditRecord, number: u128, occurred_at: Timestamp) {
    let message = OutboxMessage {
        organization_id: OrganizationId(Uuid::from_u128(1)),
        action: Action::AgentUpdated,
        agent_id: None,
        replicate: vec![changed(number)],
        occurred_at,
    };
    store
        .tables()
        .commit(&Change {
            author: None,
            audit: record,
            message,
        })
        .expect("the store is there");
}

/// A store in which a crash has left many entries.
async fn littered() -> Arc<MemoryStore> {
    let (world, store) = (World::start().await, Arc::new(MemoryStore::default()));
    for number in 0..700 {
        leave_behind(&store, world.record(), number, Clock::now(world.clock.as_ref()));
    }
    store
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_alone_finishes_all_that_is_pending_in_order_before_it_serves() {
    let store = littered().await;
    let world = World::start_on(store.clone(), ActorSettings::default()).await;
    assert_eq!(store.pending_count(), 0);
    assert_eq!(world.cluster.log(), (0..700).map(changed).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_alone_leaves_to_others_what_they_may_be_at_and_finishes_it_in_the_end() {
    let (store, cluster) = (littered().await, Arc::new(MemoryCluster::default()));
    cluster.set_has_others();
    let world = World::start_in(cluster, store.clone(), ActorSettings::default()).await;
    let begun = tokio::time::Instant::now();
    until(async || store.pending_count() == 0).await;
    assert!(begun.elapsed() >= OutboxSettings::default().grace);
    assert_eq!(world.cluster.log(), (0..700).map(changed).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_finished_at_the_start_is_finished_later() {
    let (store, cluster) = (littered().await, Arc::new(MemoryCluster::default()));
    cluster.applying.set_away(true);
    let world = World::start_in(cluster, store.clone(), ActorSettings::default()).await;
    assert_eq!((store.pending_count(), world.cluster.log()), (700, vec![]));
    world.cluster.applying.set_away(false);
    until(async || store.pending_count() == 0).await;
    assert_eq!(world.cluster.log().len(), 700);
}

#[tokio::test(start_paused = true)]
async fn what_stays_behind_later_is_finished_when_it_was_seen_for_long_enough_however_old_it_says_it_is() {
    let world = World::start().await;
    let settings = OutboxSettings::default();
    leave_behind(&world.store, world.record(), 1, Timestamp::EPOCH);
    tokio::time::sleep(settings.grace).await;
    assert_eq!(
        (world.store.pending_count(), world.cluster.log()),
        (1, vec![]),
        "its request may still be at it"
    );
    tokio::time::sleep(settings.sweep * 2).await;
    assert_eq!(
        (world.store.pending_count(), world.cluster.log()),
        (0, vec![changed(1)])
    );
}

/// What a write that is answered takes at the longest is shorter than what the relay waits for.
#[test]
fn the_grace_is_longer_than_any_write_that_is_answered() {
    let settings = ActorSettings::default();
    assert!(settings.outbox.grace > settings.tenant.write_deadline);
}

fn to(status: AgentStatus) -> AgentPatch {
    AgentPatch {
        status: Some(status),
        ..AgentPatch::default()
    }
}

/// Or a crash would have it repeated, and whoever was reactivated since would lose the tokens that it has got since.
#[tokio::test(start_paused = true)]
async fn a_suspension_that_is_answered_is_not_pending_any_more() {
    let world = World::start().await;
    let target = world.add_agent(world.organization, "acme", "target", None).0;
    let suspended = world
        .actors
        .tenants
        .update_agent(&world.admin(), target, to(AgentStatus::Suspended), None)
        .await;
    suspended.expect("suspended");
    assert_eq!(world.store.pending_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_suspension_that_can_not_be_marked_is_answered_all_the_same_and_marked_later() {
    let world = World::start().await;
    let target = world.add_agent(world.organization, "acme", "target", None).0;
    world.store.relaying.set_away(true);
    let suspended = world
        .actors
        .tenants
        .update_agent(&world.admin(), target, to(AgentStatus::Suspended), None)
        .await;
    suspended.expect("it is in force");
    assert_eq!(world.store.pending_count(), 1);
    let log = world.cluster.log();
    world.store.relaying.set_away(false);
    until(async || world.store.pending_count() == 0).await;
    assert_eq!(world.cluster.log(), log, "it was marked, not repeated");
}

#[tokio::test(start_paused = true)]
async fn finished_entries_are_marked_in_bulk_and_not_repeated() {
    let world = World::start().await;
    let patch = || AgentPatch {
        owner: Some("other".into()),
        ..AgentPatch::default()
    };
    for _ in 0..20 {
        world
            .actors
            .tenants
            .update_agent(&world.admin(), world.agent, patch(), None)
            .await
            .expect("updated");
    }
    let calls = world.store.relaying.calls();
    until(async || world.store.pending_count() == 0).await;
    assert!(
        world.store.relaying.calls() <= calls + 2,
        "twenty entries are marked together"
    );
    assert_eq!(world.cluster.log().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_away_is_tried_less_and_less_often_until_it_is_back() {
    let world = World::start().await;
    world.cluster.applying.set_away(true);
    leave_behind(&world.store, world.record(), 1, Timestamp::EPOCH);
    tokio::time::sleep(Duration::from_secs(300)).await;
    let tries = world.cluster.applying.calls();
    assert!(
        (10..20).contains(&tries),
        "1, 2, 4, … up to 30 seconds between tries: {tries} in five minutes"
    );
    assert_eq!(world.store.pending_count(), 1);
    world.cluster.applying.set_away(false);
    tokio::time::sleep(OutboxSettings::default().backoff_max).await;
    assert_eq!(
        (world.store.pending_count(), world.cluster.log()),
        (0, vec![changed(1)])
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_does_not_hang_the_relay() {
    let world = World::start().await;
    leave_behind(&world.store, world.record(), 1, Timestamp::EPOCH);
    world.store.relaying.set_delay(Duration::from_secs(3600));
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.store.relaying.set_delay(Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.store.pending_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn finished_entries_are_marked_before_the_node_stops() {
    let world = World::start().await;
    let patch = AgentPatch {
        owner: Some("other".into()),
        ..AgentPatch::default()
    };
    world
        .actors
        .tenants
        .update_agent(&world.admin(), world.agent, patch, None)
        .await
        .expect("updated");
    let store = world.store.clone();
    assert_eq!(store.pending_count(), 1);
    world.actors.shutdown(Duration::from_secs(5)).await;
    assert_eq!(store.pending_count(), 0);
}

/// Killed over and over: everything that was announced becomes known, and the outbox ends up empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_relay_under_load_leaves_nothing_behind() {
    let world = Arc::new(World::start_with(eager()).await);
    world.cluster.applying.set_delay(Duration::from_micros(300));
    for number in 0..300 {
        leave_behind(&world.store, world.record(), number, Timestamp::EPOCH);
        world.actors.kill(Victim::OutboxRelay);
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    until(async || world.store.pending_count() == 0).await;
    let log = world.cluster.log();
    assert!((0..300).all(|number| log.contains(&changed(number))));
    assert!(
        Agents::find(world.store.as_ref(), world.organization, world.agent)
            .await
            .is_ok()
    );
}
