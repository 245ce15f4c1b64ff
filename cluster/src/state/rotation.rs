//! How one signing key follows another. Whatever a schedule or an operator wants, the ring holds it to what was promised to
//! whoever verifies tokens: no key signs before every verifier can know it, and none leaves before the last token that it
//! signed has expired. Only an emergency breaks the promise, on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{KeyDeed, KeyId, KeyTerms, Organization, Revision, SigningAlgorithm, Timestamp};

use super::key_events::Deed;
use super::key_ring::{KeyRing, StoredKey};
use crate::command::{Refusal, SealedKey};
use crate::keys::KeyState;
use crate::sealing::Sealed;

/// Verifiers may not keep a key set for longer than this.
const JWKS_MAX_AGE_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Clocks that lie further apart are no clocks.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(86_400);

impl Deed {
    fn new(deed: KeyDeed, key_id: &KeyId, algorithm: SigningAlgorithm) -> Self {
        Self {
            deed,
            subject: key_id.0.clone(),
            algorithm: Some(algorithm),
        }
    }
}

impl KeyRing {
    /// The terms that the first keys begin with.
    pub(super) fn begin_with(&mut self, terms: KeyTerms, revision: Revision) -> Result<(), Refusal> {
        require_possible(&terms)?;
        self.promises.terms = terms;
        self.changed_at = revision;
        Ok(())
    }

    /// Other terms hold from now on. What was promised under longer ones is kept until it has run out.
    pub(super) fn promise(&mut self, terms: KeyTerms, at: Timestamp, revision: Revision) -> Result<Vec<Deed>, Refusal> {
        require_possible(&terms)?;
        let former = self.promises.terms;
        if terms == former {
            return Ok(Vec::new());
        }
        if terms.published_before_use() < former.published_before_use() {
            let cached_until = at.plus(former.published_before_use());
            self.promises.cached_until = self.promises.cached_until.max(cached_until);
        }
        if terms.kept_after_use() < former.kept_after_use() {
            let alive_until = at.plus(former.kept_after_use());
            self.promises.alive_until = self.promises.alive_until.max(alive_until);
        }
        self.promises.terms = terms;
        self.changed_at = revision;
        Ok(vec![Deed {
            deed: KeyDeed::TermsChanged,
            subject: String::new(),
            algorithm: None,
        }])
    }

    /// When a key may begin to sign, as far as verifiers are concerned.
    pub(crate) fn may_sign_from(&self, key: &StoredKey) -> Timestamp {
        let known_from = key.published_at.plus(self.promises.terms.published_before_use());
        known_from.max(self.promises.cached_until)
    }

    /// When a retired key may leave.
    pub(crate) fn may_leave_from(&self, key: &StoredKey) -> Option<Timestamp> {
        let expired_from = key.retired_at?.plus(self.promises.terms.kept_after_use());
        Some(expired_from.max(self.promises.alive_until))
    }

    /// Verifiers learn the successor of the key that signs. One at a time: a second rotation waits for the first.
    pub(super) fn publish_next(
        &mut self,
        key: &SealedKey,
        at: Timestamp,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Deed>, Refusal> {
        let is_repeated = self.keys.contains_key(&key.key_id);
        let mut others = self.keys.values();
        let is_under_way = |other: &StoredKey| other.algorithm == key.algorithm && other.state == KeyState::Published;
        if !is_repeated && others.any(is_under_way) {
            return Err(Refusal::RotationUnderWay);
        }
        self.publish(key, at, revision, limit)?;
        let done = Deed::new(KeyDeed::Published, &key.key_id, key.algorithm);
        Ok(if is_repeated { Vec::new() } else { vec![done] })
    }

    /// A published key begins to sign, if every verifier can know it by now.
    pub(super) fn succeed(&mut self, key_id: &KeyId, at: Timestamp, revision: Revision) -> Result<Vec<Deed>, Refusal> {
        let key = self.keys.get(key_id).ok_or(Refusal::NoSuchKey)?;
        let algorithm = key.algorithm;
        if key.state == KeyState::Current {
            return Ok(Vec::new());
        }
        if key.state == KeyState::Published && at < self.may_sign_from(key) {
            return Err(Refusal::TooEarly);
        }
        self.make_current(key_id, at, revision)?;
        Ok(vec![Deed::new(KeyDeed::MadeCurrent, key_id, algorithm)])
    }

    /// A retired key leaves, if the last token that it signed has expired.
    pub(super) fn let_go(&mut self, key_id: &KeyId, at: Timestamp, revision: Revision) -> Result<Vec<Deed>, Refusal> {
        let Some(key) = self.keys.get(key_id) else {
            return Ok(Vec::new());
        };
        let algorithm = key.algorithm;
        let may_leave_from = self.may_leave_from(key).ok_or(Refusal::WrongKeyState)?;
        if at < may_leave_from {
            return Err(Refusal::TooEarly);
        }
        self.remove(key_id, revision)?;
        Ok(vec![Deed::new(KeyDeed::Removed, key_id, algorithm)])
    }

    /// The keys sign at once, and all others of their algorithms leave at once: tokens that these signed are dead.
    pub(super) fn replace(
        &mut self,
        keys: &[SealedKey],
        at: Timestamp,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Deed>, Refusal> {
        let is_repeated = |key: &SealedKey| {
            let known = self.keys.get(&key.key_id);
            known.is_some_and(|known| {
                known.state == KeyState::Current
                    && (known.algorithm, &known.public_jwk) == (key.algorithm, &key.public_jwk)
            })
        };
        if keys.iter().all(is_repeated) {
            return Ok(Vec::new());
        }
        let algorithms: BTreeSet<SigningAlgorithm> = keys.iter().map(|key| key.algorithm).collect();
        if algorithms.len() != keys.len() {
            return Err(Refusal::AmbiguousKeys);
        }
        if keys.iter().any(|key| self.keys.contains_key(&key.key_id)) {
            return Err(Refusal::KeyExists);
        }
        let (leaving, staying): (Vec<_>, Vec<_>) = self
            .keys
            .iter()
            .partition(|(_, key)| algorithms.contains(&key.algorithm));
        if staying.len() + keys.len() > limit {
            return Err(Refusal::KeyRingFull);
        }
        let left = leaving
            .iter()
            .map(|(key_id, key)| Deed::new(KeyDeed::Removed, key_id, key.algorithm));
        let came = keys
            .iter()
            .map(|key| Deed::new(KeyDeed::Replaced, &key.key_id, key.algorithm));
        let deeds = came.chain(left).collect();
        let staying = staying.into_iter().map(|(key_id, key)| (key_id.clone(), key.clone()));
        let first = keys
            .iter()
            .map(|key| (key.key_id.clone(), StoredKey::signing_at_once(key, at)));
        self.keys = staying.chain(first).collect();
        self.changed_at = revision;
        Ok(deeds)
    }

    /// Puts the private half into a new envelope, unless it is gone already.
    pub(super) fn seal_anew(&mut self, key_id: &KeyId, sealed: &Sealed, revision: Revision) {
        if let Some(own) = self.keys.get_mut(key_id).and_then(|key| key.sealed.as_mut()) {
            *own = sealed.clone();
            self.changed_at = revision;
        }
    }
}

/// Refuses promises that other limits of the system rest upon.
fn require_possible(terms: &KeyTerms) -> Result<(), Refusal> {
    let is_possible = !terms.token_lifetime_max.is_zero()
        && terms.token_lifetime_max <= Organization::TOKEN_TTL_MAX
        && terms.jwks_max_age <= JWKS_MAX_AGE_MAX
        && terms.clock_skew <= CLOCK_SKEW_MAX;
    if is_possible {
        Ok(())
    } else {
        Err(Refusal::ImpossibleTerms)
    }
}
