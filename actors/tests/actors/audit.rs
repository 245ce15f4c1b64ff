//! The audit writer: grouped, durable before it is answered, whatever dies meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actors::{ActorSettings, AuditError, AuditSettings, Victim};
use domain::EventId;
use tokio::task::JoinSet;

use super::support::{World, eager, until};

/// The ids of the events that are in the log.
fn logged(world: &World) -> BTreeSet<EventId> {
    world
        .store
        .events(world.organization)
        .iter()
        .map(|event| event.event_id)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn records_that_come_together_are_durable_together_and_the_chain_is_whole() {
    let world = Arc::new(World::start().await);
    world.store.auditing.set_delay(Duration::from_millis(1));
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let world = world.clone();
        tasks.spawn(async move {
            for _ in 0..10 {
                world
                    .actors
                    .audit
                    .record(world.record())
                    .await
                    .expect("the log is there");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(logged(&world).len(), 2000);
    world.store.verify_chain(world.organization);
    let transactions = world.store.auditing.calls();
    assert!(
        transactions <= 21,
        "200 callers share a transaction, but there were {transactions} for 10 rounds"
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_alone_is_written_at_once() {
    let world = World::start().await;
    let before = tokio::time::Instant::now();
    world
        .actors
        .audit
        .record(world.record())
        .await
        .expect("the log is there");
    assert_eq!(
        before.elapsed(),
        Duration::ZERO,
        "nothing is waited for while nothing is under way"
    );
}

#[tokio::test(start_paused = true)]
async fn after_company_a_record_waits_for_as_much_again_but_not_for_long() {
    let world = World::start().await;
    let batch_wait = AuditSettings::default().batch_wait;
    let record = || world.actors.audit.record(world.record());
    let together = tokio::join!(record(), record());
    assert!(together.0.is_ok() && together.1.is_ok());
    let (calls, before) = (world.store.auditing.calls(), tokio::time::Instant::now());
    let later = async {
        tokio::time::sleep(batch_wait / 2).await;
        record().await
    };
    let joined = tokio::join!(record(), later);
    assert!(joined.0.is_ok() && joined.1.is_ok());
    assert_eq!(
        (world.store.auditing.calls() - calls, before.elapsed()),
        (1, batch_wait / 2)
    );
    let before = tokio::time::Instant::now();
    record().await.expect("the log is there");
    assert_eq!(before.elapsed(), batch_wait, "company that stays away is given up");
    record().await.expect("the log is there");
    assert_eq!(before.elapsed(), batch_wait, "and expected no longer");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_no_larger_than_allowed() {
    let audit = AuditSettings {
        batch_max: 7,
        ..AuditSettings::default()
    };
    let world = World::start_with(ActorSettings {
        audit,
        ..ActorSettings::default()
    })
    .await;
    futures::future::try_join_all((0..70).map(|_| world.actors.audit.record(world.record())))
        .await
        .expect("the log is there");
    assert_eq!((logged(&world).len(), world.store.auditing.calls()), (70, 10));
}

#[tokio::test(start_paused = true)]
async fn when_the_log_is_away_the_callers_learn_so_and_later_ones_are_served() {
    let world = World::start().await;
    world.store.auditing.set_away(true);
    let result = world.actors.audit.record(world.record()).await;
    assert!(matches!(result, Err(AuditError::Unavailable { retry_after }) if retry_after > Duration::ZERO));
    world.store.auditing.set_away(false);
    world
        .actors
        .audit
        .record(world.record())
        .await
        .expect("the log is back");
    assert_eq!(logged(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_answer_is_waited_for_until_the_deadline() {
    let world = World::start().await;
    world.store.auditing.set_delay(Duration::from_secs(3600));
    let before = tokio::time::Instant::now();
    let result = world.actors.audit.record(world.record()).await;
    assert!(matches!(result, Err(AuditError::Unavailable { .. })));
    assert_eq!(before.elapsed(), AuditSettings::default().deadline);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_in_the_log_already_does_not_spoil_its_batch() {
    let world = World::start().await;
    let twice = world.record();
    world.actors.audit.record(twice.clone()).await.expect("the first time");
    let records = (0..50).map(|number| if number == 20 { twice.clone() } else { world.record() });
    let results = futures::future::join_all(records.map(|record| world.actors.audit.record(record))).await;
    for (number, result) in results.iter().enumerate() {
        assert_eq!(matches!(result, Err(AuditError::Refused(_))), number == 20, "{number}");
    }
    assert_eq!(logged(&world).len(), 50);
    world.store.verify_chain(world.organization);
}

#[tokio::test(start_paused = true)]
async fn at_the_bound_records_are_refused_at_once_and_what_waits_is_written() {
    let audit = AuditSettings {
        waiting_max: 10,
        batch_max: 10,
        ..AuditSettings::default()
    };
    let world = World::start_with(ActorSettings {
        audit,
        ..ActorSettings::default()
    })
    .await;
    let results = futures::future::join_all((0..25).map(|_| world.actors.audit.record(world.record()))).await;
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(AuditError::Unavailable { .. })))
        .count();
    assert_eq!((refused, logged(&world).len()), (15, 10));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_costs_its_batch_and_nothing_else() {
    let world = World::start().await;
    world.store.auditing.panic_once();
    let result = world.actors.audit.record(world.record()).await;
    assert!(matches!(result, Err(AuditError::Unavailable { .. })));
    until(async || world.actors.audit.record(world.record()).await.is_ok()).await;
    assert!(world.actors.health.is_ready());
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_written_before_the_node_stops() {
    let world = World::start().await;
    world.store.auditing.set_delay(Duration::from_millis(50));
    let (store, organization) = (world.store.clone(), world.organization);
    let records: Vec<_> = (0..100).map(|_| world.record()).collect();
    let handle = world.actors.audit.clone();
    let waiting = tokio::spawn(futures::future::join_all(records.into_iter().map(move |record| {
        let handle = handle.clone();
        async move { handle.record(record).await }
    })));
    until(async || store.auditing.calls() > 0).await;
    world.actors.shutdown(Duration::from_secs(5)).await;
    assert!(waiting.await.expect("no panic").iter().all(Result::is_ok));
    assert_eq!(store.events(organization).len(), 100);
}

/// Killed over and over in the middle of its work: whatever was acknowledged is in the log, and everybody gets an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_writer_under_load_loses_nothing_that_was_acknowledged() {
    let world = Arc::new(World::start_with(eager()).await);
    world.store.auditing.set_delay(Duration::from_micros(200));
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let world = world.clone();
        tasks.spawn(async move {
            let mut acknowledged = Vec::new();
            for _ in 0..100 {
                let record = world.record();
                let id = record.event_id;
                if world.actors.audit.record(record).await.is_ok() {
                    acknowledged.push(id);
                }
            }
            acknowledged
        });
    }
    let mut acknowledged = BTreeSet::new();
    while !tasks.is_empty() {
        world.actors.kill(Victim::AuditWriter);
        tokio::select! {
            Some(done) = tasks.join_next() => acknowledged.extend(done.expect("no panic")),
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
        }
    }
    let logged = logged(&world);
    assert!(acknowledged.is_subset(&logged));
    assert!(
        acknowledged.len() > 1600,
        "the writer comes back: only {} of 3200 were taken",
        acknowledged.len()
    );
    world.store.verify_chain(world.organization);
}
