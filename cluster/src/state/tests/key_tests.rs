//! The life of signing keys.

use domain::{KeyId, SigningAlgorithm};

use super::rotation_tests::{founded, make_current, ordered, publish, remove, scheduled};
use super::*;
use crate::command::SealedKey;
use crate::key_command::KeyChange;
use crate::keys::KeyState;
use crate::sealing::{MasterKey, MasterKeys};

struct Zeros;
impl domain::ports::Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// Sealed with a master key that is made of this byte.
pub(super) fn sealed_with(byte: u8, name: &str) -> Sealed {
    let mut bytes = [byte; 32];
    bytes[0] = 1;
    let master = MasterKeys::new(vec![MasterKey::from_bytes(&bytes).unwrap()]).unwrap();
    master.seal(name, name.as_bytes(), &Zeros)
}

pub(super) fn sealed_key(name: &str, algorithm: SigningAlgorithm) -> SealedKey {
    SealedKey {
        key_id: KeyId(name.to_owned()),
        algorithm,
        public_jwk: format!("{{\"kid\":\"{name}\"}}"),
        sealed: sealed_with(3, name),
    }
}

pub(super) fn bootstrap(keys: &[(&str, SigningAlgorithm)]) -> Command {
    let digest_key = sealed_key("digest", SigningAlgorithm::EdDsa).sealed;
    let keys = keys
        .iter()
        .map(|(name, algorithm)| sealed_key(name, *algorithm))
        .collect();
    Command::Bootstrap(BootstrapCommand {
        cluster_id: uuid(5),
        keys,
        digest_key,
        at: Timestamp::from_seconds(10),
    })
}

fn bootstrapped() -> State {
    after(&[bootstrap(&[
        ("a", SigningAlgorithm::EdDsa),
        ("es", SigningAlgorithm::Es256),
    ])])
}

fn key(state: &State, name: &str) -> Option<StoredKey> {
    state
        .keys()
        .iter()
        .find(|(id, _)| id.0 == name)
        .map(|(_, key)| key.clone())
}

#[test]
fn the_first_keys_are_current_and_a_second_bootstrap_changes_nothing() {
    let mut state = bootstrapped();
    assert_eq!(state.identity().unwrap().cluster_id, uuid(5));
    assert_eq!(key(&state, "a").unwrap().state, KeyState::Current);
    let before = state.clone();
    let result = state.apply(&bootstrap(&[("other", SigningAlgorithm::EdDsa)]));
    assert_eq!(result.refusal, Some(Refusal::AlreadyBootstrapped));
    assert_eq!(
        State {
            revision: before.revision,
            ..state
        },
        before
    );
}

#[test]
fn a_bootstrap_with_two_first_keys_leaves_no_trace() {
    for second in ["a", "b"] {
        let mut state = State::default();
        let twice = bootstrap(&[("a", SigningAlgorithm::EdDsa), (second, SigningAlgorithm::EdDsa)]);
        assert_eq!(state.apply(&twice).refusal, Some(Refusal::AmbiguousKeys));
        assert_eq!(
            state,
            State {
                revision: Revision(1),
                ..State::default()
            }
        );
    }
}

#[test]
fn a_key_is_published_becomes_current_is_retired_and_leaves() {
    let mut state = founded();
    assert_eq!(state.apply(&scheduled(1_000, publish("b"))).refusal, None);
    assert_eq!(key(&state, "b").unwrap().state, KeyState::Published);
    let result = state.apply(&scheduled(2_000, make_current("b")));
    assert_eq!((result.refusal, state.keys().changed_at()), (None, result.revision));

    let (former, current) = (key(&state, "a").unwrap(), key(&state, "b").unwrap());
    assert_eq!(
        (former.state, former.retired_at),
        (KeyState::Retired, Some(Timestamp::from_seconds(2_000)))
    );
    assert_eq!(former.sealed, None, "a retired key's private half is gone");
    assert_eq!(
        (current.state, current.current_since),
        (KeyState::Current, Some(Timestamp::from_seconds(2_000)))
    );
    assert_eq!(
        key(&state, "es").unwrap().state,
        KeyState::Current,
        "another algorithm's key stays"
    );

    assert_eq!(state.apply(&scheduled(9_999, remove("a"))).refusal, None);
    assert_eq!(key(&state, "a"), None);
}

#[test]
fn repeated_steps_change_nothing_and_wrong_ones_are_refused() {
    let mut state = founded();
    let changed_at = state.keys().changed_at();
    for repeated in [publish("a"), make_current("a"), remove("never there")] {
        let repeated = scheduled(1_000, repeated);
        assert_eq!(state.apply(&repeated).refusal, None, "{repeated:?}");
    }
    assert_eq!(state.keys().changed_at(), changed_at);
    let mut refusal = |at, change| state.apply(&scheduled(at, change)).refusal;
    assert_eq!(refusal(1_000, make_current("never there")), Some(Refusal::NoSuchKey));
    let mut other = sealed_key("a", SigningAlgorithm::EdDsa);
    other.public_jwk = "{}".to_owned();
    assert_eq!(refusal(1_000, KeyChange::Publish(other)), Some(Refusal::KeyExists));
    assert_eq!(refusal(1_000, publish("b")), None);
    assert_eq!(refusal(2_000, make_current("b")), None);
    assert_eq!(
        refusal(9_999, make_current("a")),
        Some(Refusal::WrongKeyState),
        "no key signs a second time"
    );
    assert_eq!(
        State::default().apply(&scheduled(1_000, publish("b"))).refusal,
        Some(Refusal::NotBootstrapped)
    );
}

#[test]
fn a_full_key_ring_takes_no_more() {
    let mut state = State::with_limits(Limits {
        keys: 2,
        ..Limits::DEFAULT
    });
    state.apply(&bootstrap(&[("a", SigningAlgorithm::EdDsa)]));
    assert_eq!(state.apply(&ordered(1_000, publish("b"))).refusal, None);
    let third = KeyChange::Publish(sealed_key("c", SigningAlgorithm::Es256));
    assert_eq!(state.apply(&ordered(1_000, third)).refusal, Some(Refusal::KeyRingFull));
}

#[test]
fn steps_that_know_nothing_of_the_promises_are_refused() {
    let mut state = founded();
    state.apply(&scheduled(1_000, publish("b")));
    let before = state.clone();
    let (at, key_id) = (Timestamp::from_seconds(9_999), KeyId("b".to_owned()));
    let former = [
        Command::PublishKey {
            key: sealed_key("c", SigningAlgorithm::Es256),
            at,
        },
        Command::MakeKeyCurrent {
            key_id: key_id.clone(),
            at,
        },
        Command::RemoveKey { key_id },
    ];
    for command in &former {
        assert_eq!(state.apply(command).refusal, Some(Refusal::NotTheirs), "{command:?}");
    }
    assert_eq!(state.keys(), before.keys());
}
