//! The schedule over rings at moments of their lives.

use domain::{KeyRingView, Ownership, SealingProgress};
use proptest::prelude::*;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn settings() -> KeyRotationSettings {
    KeyRotationSettings::default()
}

/// So many days after some day, or before it.
fn at(days: f64) -> Timestamp {
    const BEFORE: f64 = 100.0;
    Timestamp::from_seconds(1_700_000_000).plus(DAY.mul_f64(BEFORE + days))
}

fn key(name: &str, algorithm: SigningAlgorithm, state: KeyState, since: f64) -> KeyRecord {
    let terms = KeyTerms::DEFAULT;
    let retired_at = (state == KeyState::Retired).then(|| at(since));
    KeyRecord {
        key_id: KeyId(name.to_owned()),
        algorithm,
        state,
        published_at: at(since),
        current_since: (state != KeyState::Published).then(|| at(since)),
        retired_at,
        may_sign_from: at(since).plus(terms.published_before_use()),
        may_leave_from: retired_at.map(|at| at.plus(terms.kept_after_use())),
    }
}

/// A ring of current keys, and these.
fn ring(more: Vec<KeyRecord>) -> KeyRingView {
    let current = |algorithm: &SigningAlgorithm| key(algorithm.as_str(), *algorithm, KeyState::Current, 0.0);
    let ownership = Ownership {
        owner: None,
        epoch: 1,
        is_here: true,
    };
    KeyRingView {
        keys: SigningAlgorithm::ALL.iter().map(current).chain(more).collect(),
        terms: KeyTerms::DEFAULT,
        ownership,
        sealing: SealingProgress::default(),
        unrecorded: Vec::new(),
    }
}

fn next_at(days: f64, ring: &KeyRingView) -> Option<Next> {
    next(&settings(), at(days), ring)
}

const ED: SigningAlgorithm = SigningAlgorithm::EdDsa;

#[test]
fn a_young_ring_is_left_alone_and_an_old_one_is_followed() {
    assert_eq!(next_at(0.0, &ring(vec![])), None);
    assert_eq!(
        next_at(79.9, &ring(vec![])),
        None,
        "nine tenths of the interval, less a day"
    );
    assert_eq!(next_at(89.0, &ring(vec![])), Some(Next::Publish(ED)));
}

#[test]
fn who_is_not_the_owner_does_nothing() {
    let mut foreign = ring(vec![key("old", ED, KeyState::Retired, -50.0)]);
    assert_eq!(next_at(1_000.0, &foreign), Some(Next::Remove(KeyId("old".to_owned()))));
    foreign.ownership.is_here = false;
    assert_eq!(next_at(1_000.0, &foreign), None);
}

#[test]
fn one_successor_at_a_time_signs_when_it_has_been_published_for_long_enough() {
    let published = ring(vec![key("next", ED, KeyState::Published, 50.0)]);
    assert_eq!(next_at(50.99, &published), None);
    let follow = Some(Next::MakeCurrent(KeyId("next".to_owned())));
    assert_eq!(next_at(51.0, &published), follow);
    assert_eq!(next_at(500.0, &published), follow, "and no second one is published");
}

#[test]
fn a_key_signs_no_earlier_than_the_replicated_state_allows() {
    let mut held_back = key("next", ED, KeyState::Published, 50.0);
    held_back.may_sign_from = at(60.0);
    let published = ring(vec![held_back]);
    assert_eq!(next_at(59.9, &published), None);
    assert!(next_at(60.0, &published).is_some());
}

#[test]
fn a_retired_key_leaves_when_its_last_token_has_expired() {
    let retired = ring(vec![key("old", ED, KeyState::Retired, 10.0)]);
    assert_eq!(next_at(11.0, &retired), None, "a day, and the skew of clocks");
    let leaves = Some(Next::Remove(KeyId("old".to_owned())));
    assert_eq!(next_at(11.01, &retired), leaves);
    let mut held_back = retired;
    held_back.keys[3].may_leave_from = Some(at(20.0));
    assert_eq!(next_at(19.9, &held_back), None);
    assert_eq!(next_at(20.0, &held_back), leaves);
}

#[test]
fn promises_come_first_and_a_lost_algorithm_is_made_again() {
    let mut old = ring(vec![key("old", ED, KeyState::Retired, -50.0)]);
    old.terms.jwks_max_age = Duration::from_secs(1);
    assert_eq!(next_at(0.0, &old), Some(Next::Terms(KeyTerms::DEFAULT)));
    let mut without = ring(vec![]);
    without.keys.retain(|key| key.algorithm != SigningAlgorithm::Es256);
    assert_eq!(next_at(0.0, &without), Some(Next::Publish(SigningAlgorithm::Es256)));
}

proptest! {
    #[test]
    fn every_key_is_followed_in_the_last_tenth_of_its_interval(name in "[A-Za-z0-9_-]{43}") {
        let settings = settings();
        let record = key(&name, ED, KeyState::Current, 0.0);
        let due = followed_at(&settings, &record).plus(settings.publish_ahead);
        prop_assert!(due >= at(81.0) && due <= at(90.0), "{}", due);
    }
}

#[test]
fn keys_of_one_ring_are_not_followed_at_once() {
    let due = |name: &str| followed_at(&settings(), &key(name, ED, KeyState::Current, 0.0));
    let mut all: Vec<Timestamp> = (0..20).map(|number| due(&format!("key {number}"))).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 20);
    assert!(all[19].since(all[0]) > DAY * 4, "they lie over nine days");
}

#[test]
fn people_are_told_what_comes_next() {
    use crate::key_rotation::plan::{KeyPlan, plan};
    let ring = ring(vec![
        key("next", ED, KeyState::Published, 50.0),
        key("old", SigningAlgorithm::Es256, KeyState::Retired, 10.0),
    ]);
    let told = |index: usize| plan(&settings(), &ring, &ring.keys[index]);
    assert_eq!(told(3), (KeyPlan::Signs, at(51.0)));
    let current = |algorithm| ring.keys.iter().position(|key| key.algorithm == algorithm).unwrap();
    assert_eq!(told(current(ED)), (KeyPlan::Retires, at(51.0)));
    let (next, when) = told(current(SigningAlgorithm::Rs256));
    assert!(
        next == KeyPlan::Retires && when >= at(81.0) && when <= at(90.0),
        "{when}"
    );
    assert_eq!(
        told(4),
        (KeyPlan::Leaves, at(10.0).plus(KeyTerms::DEFAULT.kept_after_use()))
    );
}
