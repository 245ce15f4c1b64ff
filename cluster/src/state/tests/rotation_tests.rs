//! The promises about signing keys, held against commands that would break them.

use std::time::Duration;

use domain::{KeyDeed, KeyEvent, KeyId, KeyTerms, NodeId, Revision, SigningAlgorithm};

use super::key_tests::{bootstrap, sealed_key, sealed_with};
use super::*;
use crate::key_command::{Authority, KEY_SCHEDULE, KeyChange, KeyCommand, Resealed, SealedPlace};
use crate::keys::KeyState;

const TERMS: KeyTerms = KeyTerms {
    jwks_max_age: Duration::from_secs(100),
    token_lifetime_max: Duration::from_secs(1_000),
    clock_skew: Duration::from_secs(10),
};
const ED: SigningAlgorithm = SigningAlgorithm::EdDsa;

fn command(node_id: u64, authority: Authority, at: i64, change: KeyChange) -> Command {
    let at = Timestamp::from_seconds(at);
    Command::Keys(KeyCommand {
        node_id,
        authority,
        at,
        change,
    })
}

pub(super) fn scheduled(at: i64, change: KeyChange) -> Command {
    command(1, Authority::Schedule { epoch: 1 }, at, change)
}

pub(super) fn ordered(at: i64, change: KeyChange) -> Command {
    let from = Some("192.0.2.1".to_owned());
    command(2, Authority::Operator { from }, at, change)
}

fn id(name: &str) -> KeyId {
    KeyId(name.to_owned())
}

pub(super) fn publish(name: &str) -> KeyChange {
    KeyChange::Publish(sealed_key(name, ED))
}

pub(super) fn make_current(name: &str) -> KeyChange {
    KeyChange::MakeCurrent(id(name))
}

pub(super) fn remove(name: &str) -> KeyChange {
    KeyChange::Remove(id(name))
}

/// Bootstrapped at 10 with `TERMS`, and the schedule placed on node 1 in epoch 1.
pub(super) fn founded() -> State {
    let place = Command::Place {
        members: vec![1],
        expected: 0,
    };
    let first = [
        bootstrap(&[("a", ED), ("es", SigningAlgorithm::Es256)]),
        command(1, Authority::Founder, 10, KeyChange::Terms(TERMS)),
        place,
    ];
    let state = after(&first);
    assert_eq!(state.keys().terms(), TERMS);
    state
}

fn refusal(state: &mut State, command: &Command) -> Option<Refusal> {
    state.apply(command).refusal
}

#[track_caller]
fn done(state: &mut State, command: &Command) {
    assert_eq!(state.apply(command).refusal, None, "{command:?}");
}

fn states(state: &State) -> Vec<(&str, KeyState)> {
    let keys = state.keys().iter();
    keys.map(|(key_id, key)| (key_id.0.as_str(), key.state)).collect()
}

#[test]
fn no_key_signs_before_every_verifier_can_know_it() {
    let mut state = founded();
    done(&mut state, &scheduled(1_000, publish("b")));
    for early in [0, 1_000, 1_109] {
        assert_eq!(
            refusal(&mut state, &scheduled(early, make_current("b"))),
            Some(Refusal::TooEarly),
            "{early}"
        );
    }
    done(&mut state, &scheduled(1_110, make_current("b")));
    assert_eq!(
        states(&state),
        [
            ("a", KeyState::Retired),
            ("b", KeyState::Current),
            ("es", KeyState::Current)
        ]
    );
    assert_eq!(
        refusal(&mut state, &scheduled(9_999, make_current("a"))),
        Some(Refusal::WrongKeyState)
    );
}

#[test]
fn no_key_leaves_before_the_last_token_that_it_signed_has_expired() {
    let mut state = founded();
    done(&mut state, &scheduled(1_000, publish("b")));
    assert_eq!(
        refusal(&mut state, &scheduled(9_999, remove("b"))),
        Some(Refusal::WrongKeyState)
    );
    done(&mut state, &scheduled(2_000, make_current("b")));
    assert_eq!(
        refusal(&mut state, &scheduled(9_999, remove("b"))),
        Some(Refusal::WrongKeyState)
    );
    assert_eq!(
        refusal(&mut state, &scheduled(3_009, remove("a"))),
        Some(Refusal::TooEarly)
    );
    done(&mut state, &scheduled(3_010, remove("a")));
    assert_eq!(states(&state).len(), 2);
    done(&mut state, &scheduled(3_010, remove("a")));
}

#[test]
fn promises_that_were_made_under_longer_terms_are_kept() {
    let mut state = founded();
    done(&mut state, &scheduled(1_000, publish("b")));
    done(&mut state, &scheduled(2_000, make_current("b")));
    let shorter = KeyTerms {
        jwks_max_age: Duration::from_secs(1),
        token_lifetime_max: Duration::from_secs(5),
        clock_skew: Duration::from_secs(1),
    };
    done(&mut state, &scheduled(2_500, KeyChange::Terms(shorter)));
    done(&mut state, &scheduled(2_501, publish("c")));
    let early = scheduled(2_609, make_current("c"));
    assert_eq!(
        refusal(&mut state, &early),
        Some(Refusal::TooEarly),
        "sets from before are still kept"
    );
    done(&mut state, &scheduled(2_610, make_current("c")));
    for name in ["a", "b"] {
        let early = scheduled(3_509, remove(name));
        assert_eq!(
            refusal(&mut state, &early),
            Some(Refusal::TooEarly),
            "tokens from before are still alive"
        );
        done(&mut state, &scheduled(3_510, remove(name)));
    }
    // From now on the shorter ones are all that is promised.
    done(&mut state, &scheduled(4_000, publish("d")));
    assert_eq!(
        refusal(&mut state, &scheduled(4_001, make_current("d"))),
        Some(Refusal::TooEarly)
    );
    done(&mut state, &scheduled(4_002, make_current("d")));
    done(&mut state, &scheduled(4_008, remove("c")));
}

#[test]
fn terms_that_nothing_can_rest_upon_are_refused() {
    let mut state = founded();
    let too_long = Duration::from_secs(86_401);
    for impossible in [
        KeyTerms {
            token_lifetime_max: too_long,
            ..TERMS
        },
        KeyTerms {
            token_lifetime_max: Duration::ZERO,
            ..TERMS
        },
        KeyTerms {
            jwks_max_age: too_long * 30,
            ..TERMS
        },
        KeyTerms {
            clock_skew: too_long,
            ..TERMS
        },
    ] {
        let change = scheduled(1_000, KeyChange::Terms(impossible));
        assert_eq!(
            refusal(&mut state, &change),
            Some(Refusal::ImpossibleTerms),
            "{impossible:?}"
        );
    }
    assert_eq!(state.keys().terms(), TERMS);
}

#[test]
fn a_founder_promises_in_the_next_breath_or_not_at_all() {
    let terms = command(1, Authority::Founder, 10, KeyChange::Terms(TERMS));
    let mut late = after(&[bootstrap(&[("a", ED)]), tick(5)]);
    assert_eq!(refusal(&mut late, &terms), Some(Refusal::NotTheirs));
    let mut second = founded();
    assert_eq!(
        refusal(&mut second, &bootstrap(&[("z", ED)])),
        Some(Refusal::AlreadyBootstrapped)
    );
    assert_eq!(refusal(&mut second, &terms), Some(Refusal::NotTheirs));
    assert_eq!(refusal(&mut State::default(), &terms), Some(Refusal::NotBootstrapped));
}

#[test]
fn the_schedule_has_one_owner_and_operators_have_their_rights() {
    let mut state = founded();
    let by = |node_id, epoch| command(node_id, Authority::Schedule { epoch }, 1_000, publish("b"));
    for foreign in [by(2, 1), by(1, 0), by(1, 2)] {
        assert_eq!(refusal(&mut state, &foreign), Some(Refusal::FormerOwner), "{foreign:?}");
    }
    let replace = KeyChange::Replace(vec![sealed_key("x", ED)]);
    assert_eq!(
        refusal(&mut state, &scheduled(1_000, replace)),
        Some(Refusal::NotTheirs)
    );
    for not_an_operators in [make_current("a"), remove("a"), KeyChange::Terms(TERMS), reseal("es", 9)] {
        let order = ordered(1_000, not_an_operators);
        assert_eq!(refusal(&mut state, &order), Some(Refusal::NotTheirs), "{order:?}");
    }
    // Another owner: what the former one sends is refused from now on.
    let members: Vec<u64> = (1..=9).collect();
    done(&mut state, &Command::Place { members, expected: 1 });
    assert_eq!(refusal(&mut state, &by(1, 1)), Some(Refusal::FormerOwner));
    let owner = state.placement().owner(KEY_SCHEDULE).unwrap();
    done(&mut state, &by(owner, 2));
}

#[test]
fn one_rotation_of_an_algorithm_at_a_time() {
    let mut state = founded();
    done(&mut state, &ordered(1_000, publish("b")));
    done(&mut state, &ordered(1_001, publish("b")));
    for second in [ordered(1_002, publish("c")), scheduled(1_002, publish("c"))] {
        assert_eq!(refusal(&mut state, &second), Some(Refusal::RotationUnderWay));
    }
    let es = KeyChange::Publish(sealed_key("es2", SigningAlgorithm::Es256));
    done(&mut state, &ordered(1_003, es));
}

#[test]
fn an_emergency_leaves_nothing_of_its_algorithm_behind() {
    let mut state = founded();
    done(&mut state, &scheduled(1_000, publish("b")));
    done(&mut state, &scheduled(2_000, make_current("b")));
    done(&mut state, &scheduled(2_001, publish("c")));
    let replace = ordered(2_002, KeyChange::Replace(vec![sealed_key("new", ED)]));
    done(&mut state, &replace);
    assert_eq!(states(&state), [("es", KeyState::Current), ("new", KeyState::Current)]);
    let before = state.clone();
    done(&mut state, &replace);
    assert_eq!(
        state.keys(),
        before.keys(),
        "a repetition of the same step is no contradiction"
    );
    let twice = KeyChange::Replace(vec![sealed_key("x", ED), sealed_key("y", ED)]);
    assert_eq!(
        refusal(&mut state, &ordered(2_003, twice)),
        Some(Refusal::AmbiguousKeys)
    );
    let known = KeyChange::Replace(vec![sealed_key("es", ED)]);
    assert_eq!(refusal(&mut state, &ordered(2_003, known)), Some(Refusal::KeyExists));
    let revision = state.revision();
    done(&mut state, &ordered(2_004, KeyChange::Replace(Vec::new())));
    assert_eq!((state.revision().0, states(&state).len()), (revision.0 + 1, 2));
}

fn reseal(name: &str, master: u8) -> KeyChange {
    let places = [SealedPlace::DigestKey, SealedPlace::SigningKey(id(name))];
    let sealed = |place| Resealed {
        place,
        sealed: sealed_with(master, name),
    };
    KeyChange::Reseal(places.map(sealed).to_vec())
}

#[test]
fn secrets_are_sealed_anew_and_those_that_are_gone_stay_gone() {
    let mut state = founded();
    done(&mut state, &scheduled(1_000, publish("b")));
    done(&mut state, &scheduled(2_000, make_current("b")));
    let wanted = sealed_with(9, "b").master_key();
    done(&mut state, &scheduled(2_001, reseal("b", 9)));
    let sealed_by = |state: &State, name: &str| {
        let key = state.keys().iter().find(|(key_id, _)| key_id.0 == name);
        key.and_then(|(_, key)| key.sealed.as_ref().map(Sealed::master_key))
    };
    assert_eq!(state.identity().unwrap().digest_key.master_key(), wanted);
    assert_eq!(sealed_by(&state, "b"), Some(wanted));
    assert_ne!(sealed_by(&state, "es"), Some(wanted));
    done(&mut state, &scheduled(2_002, reseal("a", 9)));
    assert_eq!(sealed_by(&state, "a"), None, "a retired key has no private half");
    done(&mut state, &scheduled(2_003, reseal("never there", 9)));
    let (KeyChange::Reseal(mut mixed), KeyChange::Reseal(others)) = (reseal("b", 9), reseal("b", 8)) else {
        unreachable!()
    };
    mixed.extend(others);
    let mixed = scheduled(2_004, KeyChange::Reseal(mixed));
    assert_eq!(refusal(&mut state, &mixed), Some(Refusal::ManyMasterKeys));
}

#[test]
fn the_audit_log_hears_of_every_step_until_it_says_that_it_has() {
    let mut state = founded();
    let published = state.apply(&scheduled(1_000, publish("b"))).revision;
    let replace = ordered(1_001, KeyChange::Replace(vec![sealed_key("new", ED)]));
    let replaced = state.apply(&replace).revision;
    let event = |revision, at, deed, subject: &str, node, ordered_from: Option<&str>| KeyEvent {
        revision,
        at: Timestamp::from_seconds(at),
        deed,
        subject: subject.to_owned(),
        algorithm: Some(ED),
        node: NodeId(node),
        ordered_from: ordered_from.map(str::to_owned),
    };
    let operator = Some("192.0.2.1");
    let expected = [
        event(published, 1_000, KeyDeed::Published, "b", 1, None),
        event(replaced, 1_001, KeyDeed::Replaced, "new", 2, operator),
        event(replaced, 1_001, KeyDeed::Removed, "a", 2, operator),
        event(replaced, 1_001, KeyDeed::Removed, "b", 2, operator),
    ];
    let waiting: Vec<KeyEvent> = state.key_events().cloned().collect();
    assert_eq!(waiting, expected);
    done(&mut state, &scheduled(1_002, KeyChange::Recorded(published)));
    assert_eq!(state.key_events().count(), 3);
    done(&mut state, &scheduled(1_003, KeyChange::Recorded(Revision(u64::MAX))));
    assert_eq!(state.key_events().count(), 0);
}

#[test]
fn a_full_backlog_stops_the_schedule_but_no_emergency() {
    let mut state = founded();
    let limit = super::super::key_events::WAITING_MAX;
    let terms = |seconds| KeyTerms {
        jwks_max_age: Duration::from_secs(seconds),
        ..TERMS
    };
    for seconds in 0..limit as u64 {
        done(&mut state, &scheduled(1_000, KeyChange::Terms(terms(seconds + 200))));
    }
    let oldest = state.key_events().next().unwrap().revision;
    assert_eq!(
        refusal(&mut state, &scheduled(1_000, publish("b"))),
        Some(Refusal::AuditBacklog)
    );
    let replace = ordered(1_001, KeyChange::Replace(vec![sealed_key("new", ED)]));
    done(&mut state, &replace);
    assert_eq!(state.key_events().count(), limit);
    assert!(state.key_events().next().unwrap().revision > oldest);
    done(&mut state, &scheduled(1_002, KeyChange::Recorded(Revision(u64::MAX))));
    done(&mut state, &scheduled(1_003, publish("b")));
}

#[test]
fn an_address_that_is_none_takes_no_room() {
    let mut state = founded();
    let from = Some("ä".repeat(1_000));
    done(
        &mut state,
        &command(1, Authority::Operator { from }, 1_000, publish("b")),
    );
    let kept = state.key_events().next().unwrap().ordered_from.clone().unwrap();
    assert_eq!(kept, "ä".repeat(32));
}

#[test]
fn a_snapshot_holds_promises_placement_and_events() {
    let mut state = founded();
    done(&mut state, &scheduled(1_000, publish("b")));
    let emergency = KeyChange::Replace(vec![sealed_key("new", ED)]);
    done(&mut state, &ordered(1_001, emergency));
    let shorter = KeyTerms {
        jwks_max_age: Duration::from_secs(1),
        ..TERMS
    };
    done(&mut state, &scheduled(1_002, KeyChange::Terms(shorter)));
    let mut restoring = Restoring::default();
    state.parts().for_each(|part| restoring.add(part).unwrap());
    assert_eq!(restoring.finish().unwrap(), state);
}

proptest! {
    #[test]
    fn whatever_is_asked_the_promises_hold(
        steps in proptest::collection::vec((0..5u8, 0..6u8, 1..400_i64), 0..80),
    ) {
        let mut state = founded();
        let mut now = 1_000;
        for (step, name, later) in steps {
            now += later;
            let name = format!("key {name}");
            let before = state.clone();
            let change = match step {
                0 => publish(&name),
                1 => make_current(&name),
                2 => remove(&name),
                3 => remove("a"),
                _ => publish("a"),
            };
            state.apply(&scheduled(now, change));
            let at = Timestamp::from_seconds(now);
            let current = state.keys().iter().filter(|(_, key)| key.algorithm == ED && key.state == KeyState::Current);
            prop_assert_eq!(current.count(), 1);
            for (_, key) in state.keys().iter() {
                prop_assert_eq!(key.sealed.is_some(), key.state != KeyState::Retired);
            }
            for (key_id, key) in state.keys().iter().filter(|(_, key)| key.current_since == Some(at)) {
                let known_for = at.since(key.published_at);
                prop_assert!(known_for >= TERMS.published_before_use(), "{:?} after {:?}", key_id, known_for);
            }
            for (key_id, key) in before.keys().iter() {
                if state.keys().iter().all(|(left, _)| left != key_id) {
                    let unused_for = key.retired_at.map(|retired_at| at.since(retired_at));
                    prop_assert!(unused_for >= Some(TERMS.kept_after_use()), "{:?} after {:?}", key_id, unused_for);
                }
            }
        }
    }
}
