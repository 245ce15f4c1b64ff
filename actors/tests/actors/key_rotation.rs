//! The key-rotation schedule: every step in its time, by its owner, told to the audit log, whatever dies meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use actors::{ActorKind, ActorSettings, KeyRotationSettings, Victim};
use domain::ports::SigningKeys as _;
use domain::{Action, KeyDeed, KeyTerms, NodeId, SigningAlgorithm, Urgency};

use super::support::{World, patient, until};

const SECOND: Duration = Duration::from_secs(1);

/// Keys that live for a minute.
fn hasty() -> ActorSettings {
    let terms = KeyTerms {
        jwks_max_age: SECOND * 5,
        token_lifetime_max: SECOND * 20,
        clock_skew: SECOND,
    };
    ActorSettings {
        key_rotation: KeyRotationSettings {
            rotation_interval: SECOND * 60,
            publish_ahead: SECOND * 10,
            retain: terms.kept_after_use(),
            terms,
            ..KeyRotationSettings::default()
        },
        restarts: patient(),
        ..ActorSettings::default()
    }
}

fn counted(world: &World) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for (deed, _) in world.keys.done() {
        *counts.entry(deed.as_str()).or_default() += 1;
    }
    counts
}

fn audited(world: &World) -> Vec<String> {
    let events = world.store.events(world.organization).into_iter();
    let events = events.filter(|event| event.action == Action::KeyRotated);
    events.map(|event| event.metadata.as_str().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn keys_follow_each_other_and_the_audit_log_hears_of_every_step() {
    let world = World::start_with(hasty()).await;
    tokio::time::sleep(SECOND * 300).await;
    let counts = counted(&world);
    // Five intervals of 54 to 60 seconds, three algorithms.
    assert!((12..=15).contains(&counts["made_current"]), "{counts:?}");
    assert!(
        counts["published"] >= counts["made_current"] && counts["removed"] + 3 >= counts["made_current"],
        "{counts:?}"
    );
    let (done, audited) = (world.keys.done(), audited(&world));
    assert_eq!(done.len(), audited.len());
    for ((deed, subject), metadata) in done.iter().zip(&audited) {
        assert!(
            metadata.contains(deed.as_str()) && metadata.contains(subject.as_str()),
            "{metadata}"
        );
        assert!(metadata.contains("\"orderedBy\":\"schedule\""), "{metadata}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_owner_acts() {
    let world = World::start_with(hasty()).await;
    world.keys.set_owner(false);
    tokio::time::sleep(SECOND * 300).await;
    assert_eq!(world.keys.done(), []);
    world.keys.set_owner(true);
    until(async || counted(&world).contains_key("made_current")).await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_dies_all_the_time_misses_nothing() {
    let world = World::start_with(hasty()).await;
    for _ in 0..600 {
        tokio::time::sleep(SECOND / 2).await;
        world.actors.kill(Victim::KeyRotation);
    }
    assert!(world.actors.health.is_ready());
    let counts = counted(&world);
    assert!((12..=15).contains(&counts["made_current"]), "{counts:?}");
    // A record may be there twice if the schedule died before it could note that it is there.
    until(async || audited(&world).len() >= world.keys.done().len()).await;
}

#[tokio::test(start_paused = true)]
async fn keys_move_on_without_the_audit_log_which_is_told_when_it_is_back() {
    let world = World::start_with(hasty()).await;
    world.store.auditing.set_away(true);
    tokio::time::sleep(SECOND * 200).await;
    let counts = counted(&world);
    assert!(counts["made_current"] >= 6, "{counts:?}");
    assert_eq!(audited(&world).len(), 0);
    world.store.auditing.set_away(false);
    until(async || world.keys.view().is_some_and(|ring| ring.unrecorded.is_empty())).await;
    assert_eq!(audited(&world).len(), world.keys.done().len());
}

#[tokio::test(start_paused = true)]
async fn promises_that_were_configured_come_in_force() {
    let world = World::start_with(hasty()).await;
    world.keys.set_owner(false);
    let other = KeyTerms {
        jwks_max_age: SECOND * 77,
        ..KeyTerms::DEFAULT
    };
    let epoch = world.keys.view().expect("a ring").ownership.epoch;
    world.keys.set_owner(true);
    let stale = world.keys.take(epoch, domain::KeyStep::Terms(other)).await;
    assert!(stale.is_err(), "a former owner changes nothing");
    let taken = world.keys.take(epoch + 1, domain::KeyStep::Terms(other)).await;
    taken.expect("the owner does");
    let wanted = hasty().key_rotation.terms;
    until(async || world.keys.view().is_some_and(|ring| ring.terms == wanted)).await;
}

#[tokio::test(start_paused = true)]
async fn secrets_are_sealed_anew_when_every_member_holds_the_master_key() {
    let world = World::start_with(hasty()).await;
    world.keys.set_sealing(7, &[NodeId(3)]);
    tokio::time::sleep(SECOND * 20).await;
    let asked = world.keys.reseals();
    assert!((5..=11).contains(&asked), "members are asked now and then: {asked}");
    world.keys.set_sealing(7, &[]);
    until(async || world.keys.view().is_some_and(|ring| ring.sealing.former == 0)).await;
    let asked = world.keys.reseals();
    tokio::time::sleep(SECOND * 20).await;
    assert_eq!(world.keys.reseals(), asked, "nobody is asked once it is done");
}

#[tokio::test(start_paused = true)]
async fn an_order_does_not_wait_for_the_schedule() {
    let world = World::start_with(ActorSettings::default()).await;
    world.keys.set_owner(false);
    world.actors.kill(Victim::KeyRotation);
    let algorithms = [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256];
    let order = world
        .actors
        .key_rotation
        .order(&algorithms, Urgency::Emergency, Some("192.0.2.1".into()));
    order.await.expect("carried out");
    let deeds: Vec<KeyDeed> = world.keys.done().into_iter().map(|(deed, _)| deed).collect();
    assert_eq!(deeds, [KeyDeed::Replaced, KeyDeed::Replaced]);
    assert!(!world.actors.health.down().contains(&ActorKind::Supervisor));
}
