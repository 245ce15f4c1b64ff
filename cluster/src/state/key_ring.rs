//! The signing keys and where each stands in its life.

use domain::{KeyId, KeyTerms, Revision, SigningAlgorithm, Timestamp};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::command::{Refusal, SealedKey};
use crate::keys::KeyState;
use crate::sealing::Sealed;

/// A signing key in the replicated state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) state: KeyState,
    pub(crate) public_jwk: String,
    /// The private half; dropped when the key is retired.
    pub(crate) sealed: Option<Sealed>,
    pub(crate) published_at: Timestamp,
    pub(crate) current_since: Option<Timestamp>,
    pub(crate) retired_at: Option<Timestamp>,
}

impl StoredKey {
    fn published(key: &SealedKey, at: Timestamp) -> Self {
        Self {
            algorithm: key.algorithm,
            state: KeyState::Published,
            public_jwk: key.public_jwk.clone(),
            sealed: Some(key.sealed.clone()),
            published_at: at,
            current_since: None,
            retired_at: None,
        }
    }

    pub(super) fn signing_at_once(key: &SealedKey, at: Timestamp) -> Self {
        Self {
            state: KeyState::Current,
            current_since: Some(at),
            ..Self::published(key, at)
        }
    }
}

/// What verifiers and tokens were promised, see [`rotation`](super::rotation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promises {
    /// What holds now.
    pub(super) terms: KeyTerms,
    /// Until then verifiers may have a key set that they fetched when they were allowed to keep it for longer.
    pub(super) cached_until: Timestamp,
    /// Until then tokens may live that were issued when they were allowed to live for longer.
    pub(super) alive_until: Timestamp,
}

/// All signing keys; at most one of each algorithm is current.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyRing {
    pub(super) keys: OrdMap<KeyId, StoredKey>,
    pub(super) changed_at: Revision,
    pub(super) promises: Promises,
}

impl KeyRing {
    /// The first keys, current at once.
    pub(crate) fn first(keys: &[SealedKey], at: Timestamp, revision: Revision) -> Result<Self, Refusal> {
        let mut ring = Self::empty(revision);
        for key in keys {
            if ring.current(key.algorithm).is_some() {
                return Err(Refusal::AmbiguousKeys);
            }
            let first = StoredKey::signing_at_once(key, at);
            if ring.keys.insert(key.key_id.clone(), first).is_some() {
                return Err(Refusal::AmbiguousKeys);
            }
        }
        Ok(ring)
    }

    pub(super) fn publish(
        &mut self,
        key: &SealedKey,
        at: Timestamp,
        revision: Revision,
        limit: usize,
    ) -> Result<(), Refusal> {
        if let Some(known) = self.keys.get(&key.key_id) {
            // A repetition of the same step is no contradiction.
            return if known.public_jwk == key.public_jwk {
                Ok(())
            } else {
                Err(Refusal::KeyExists)
            };
        }
        if self.keys.len() >= limit {
            return Err(Refusal::KeyRingFull);
        }
        self.keys.insert(key.key_id.clone(), StoredKey::published(key, at));
        self.changed_at = revision;
        Ok(())
    }

    pub(super) fn make_current(&mut self, key_id: &KeyId, at: Timestamp, revision: Revision) -> Result<(), Refusal> {
        let mut key = self.keys.get(key_id).cloned().ok_or(Refusal::NoSuchKey)?;
        match key.state {
            KeyState::Current => return Ok(()),
            KeyState::Retired => return Err(Refusal::WrongKeyState),
            KeyState::Published => {}
        }
        if let Some((former_id, former)) = self.current(key.algorithm) {
            let retired = StoredKey {
                state: KeyState::Retired,
                sealed: None,
                retired_at: Some(at),
                ..former.clone()
            };
            let former_id = former_id.clone();
            self.keys.insert(former_id, retired);
        }
        key.state = KeyState::Current;
        key.current_since = Some(at);
        self.keys.insert(key_id.clone(), key);
        self.changed_at = revision;
        Ok(())
    }

    pub(super) fn remove(&mut self, key_id: &KeyId, revision: Revision) -> Result<(), Refusal> {
        match self.keys.get(key_id).map(|key| key.state) {
            // A repetition of the same step is no contradiction.
            None => return Ok(()),
            Some(KeyState::Current) => return Err(Refusal::WrongKeyState),
            Some(KeyState::Published | KeyState::Retired) => {}
        }
        self.keys.remove(key_id);
        self.changed_at = revision;
        Ok(())
    }

    fn current(&self, algorithm: SigningAlgorithm) -> Option<(&KeyId, &StoredKey)> {
        self.keys
            .iter()
            .find(|(_, key)| key.state == KeyState::Current && key.algorithm == algorithm)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&KeyId, &StoredKey)> {
        self.keys.iter()
    }

    /// The revision at which a key was last added, moved on or removed.
    pub(crate) fn changed_at(&self) -> Revision {
        self.changed_at
    }

    /// A ring without keys that says when it was last changed.
    pub(crate) fn empty(changed_at: Revision) -> Self {
        Self {
            changed_at,
            ..Self::default()
        }
    }

    /// What is promised now.
    pub(crate) fn terms(&self) -> KeyTerms {
        self.promises.terms
    }

    pub(super) fn promises(&self) -> Promises {
        self.promises
    }

    /// Puts back what a snapshot holds of the promises.
    pub(super) fn restore_promises(&mut self, promises: Promises) {
        self.promises = promises;
    }

    /// Whether all keys are first keys, and nobody has said what they promise.
    pub(super) fn is_untouched(&self) -> bool {
        self.promises == Promises::default() && self.keys.values().all(|key| key.state == KeyState::Current)
    }

    /// Puts back a key that a snapshot holds; false if the snapshot contradicts itself.
    pub(crate) fn restore(&mut self, key_id: KeyId, key: StoredKey) -> bool {
        let second = key.state == KeyState::Current && self.current(key.algorithm).is_some();
        self.keys.insert(key_id, key).is_none() && !second
    }
}
