//! A key ring of one node, in memory: it takes the steps of the schedule, keeps the promises, and remembers what was done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::ports::{Clock, KeyMaker, KeyStepError, SigningKeys};
use domain::{
    Applied, KeyDeed, KeyEvent, KeyId, KeyOrder, KeyRecord, KeyRingView, KeyState, KeyStep, KeyTerms, NewSigningKey,
    NodeId, Ownership, Resealing, Revision, SealingProgress, SigningAlgorithm,
};

use super::TokioClock;

/// The ring.
pub struct MemoryKeys {
    clock: Arc<TokioClock>,
    ring: Mutex<Ring>,
}

struct Ring {
    view: KeyRingView,
    revision: u64,
    done: Vec<(KeyDeed, String)>,
    lacking: Vec<NodeId>,
    reseals: usize,
}

/// Makes keys with numbers instead of numbers that nobody knows.
#[derive(Default)]
pub struct NumberedKeys(AtomicU64);

#[async_trait]
impl KeyMaker for NumberedKeys {
    async fn make(&self, algorithm: SigningAlgorithm) -> Result<NewSigningKey, KeyStepError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(NewSigningKey {
            key_id: KeyId(format!("{algorithm} {number}")),
            algorithm,
            pkcs8: Default::default(),
            public_jwk: String::new(),
        })
    }
}

impl MemoryKeys {
    /// A current key of every algorithm, on a node that owns the schedule.
    pub fn new(clock: Arc<TokioClock>, terms: KeyTerms) -> Self {
        let now = clock.now();
        let first = |algorithm: &SigningAlgorithm| KeyRecord {
            key_id: KeyId(format!("first {algorithm}")),
            algorithm: *algorithm,
            state: KeyState::Current,
            published_at: now,
            current_since: Some(now),
            retired_at: None,
            may_sign_from: now,
            may_leave_from: None,
        };
        let ownership = Ownership {
            owner: Some(NodeId(1)),
            epoch: 1,
            is_here: true,
        };
        let view = KeyRingView {
            keys: SigningAlgorithm::ALL.iter().map(first).collect(),
            terms,
            ownership,
            sealing: SealingProgress::default(),
            unrecorded: Vec::new(),
        };
        let ring = Ring {
            view,
            revision: 0,
            done: Vec::new(),
            lacking: Vec::new(),
            reseals: 0,
        };
        Self {
            clock,
            ring: Mutex::new(ring),
        }
    }

    /// Another node owns the schedule, or this one again.
    pub fn set_owner(&self, is_here: bool) {
        let mut ring = self.ring();
        ring.view.ownership.is_here = is_here;
        ring.view.ownership.epoch += 1;
    }

    /// So many secrets are sealed with a former master key, and these members lack the new one.
    pub fn set_sealing(&self, former: usize, lacking: &[NodeId]) {
        let mut ring = self.ring();
        ring.view.sealing.former = former;
        ring.lacking = lacking.to_vec();
    }

    /// How often members were asked whether they hold the master key.
    pub fn reseals(&self) -> usize {
        self.ring().reseals
    }

    /// What was done to which key, in order.
    pub fn done(&self) -> Vec<(KeyDeed, String)> {
        self.ring().done.clone()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().expect("no panic")
    }
}

impl Ring {
    fn note(&mut self, deed: KeyDeed, subject: &str, clock: &TokioClock) {
        self.revision += 1;
        self.done.push((deed, subject.to_owned()));
        self.view.unrecorded.push(KeyEvent {
            revision: Revision(self.revision),
            at: clock.now(),
            deed,
            subject: subject.to_owned(),
            algorithm: None,
            node: NodeId(1),
            ordered_from: None,
        });
    }

    fn find(&mut self, key_id: &KeyId) -> Result<&mut KeyRecord, KeyStepError> {
        let found = self.view.keys.iter_mut().find(|key| key.key_id == *key_id);
        found.ok_or_else(|| KeyStepError::Refused("no such key".into()))
    }
}

#[async_trait]
impl SigningKeys for MemoryKeys {
    fn view(&self) -> Option<KeyRingView> {
        Some(self.ring().view.clone())
    }

    async fn take(&self, epoch: u64, step: KeyStep) -> Result<(), KeyStepError> {
        let (mut ring, now, clock) = (self.ring(), self.clock.now(), self.clock.as_ref());
        if epoch != ring.view.ownership.epoch || !ring.view.ownership.is_here {
            return Err(KeyStepError::Refused("another node owns the schedule".into()));
        }
        let terms = ring.view.terms;
        match step {
            KeyStep::Terms(terms) => {
                ring.view.terms = terms;
                ring.note(KeyDeed::TermsChanged, "", clock);
            }
            KeyStep::Publish(key) => {
                ring.note(KeyDeed::Published, &key.key_id.0, clock);
                ring.view.keys.push(KeyRecord {
                    key_id: key.key_id,
                    algorithm: key.algorithm,
                    state: KeyState::Published,
                    published_at: now,
                    current_since: None,
                    retired_at: None,
                    may_sign_from: now.plus(terms.published_before_use()),
                    may_leave_from: None,
                });
            }
            KeyStep::MakeCurrent(key_id) => {
                let next = ring.find(&key_id)?.clone();
                assert!(now >= next.may_sign_from, "{key_id} signs too early");
                for key in ring.view.keys.iter_mut().filter(|key| key.algorithm == next.algorithm) {
                    if key.state == KeyState::Current {
                        key.state = KeyState::Retired;
                        key.retired_at = Some(now);
                        key.may_leave_from = Some(now.plus(terms.kept_after_use()));
                    }
                }
                let key = ring.find(&key_id)?;
                (key.state, key.current_since) = (KeyState::Current, Some(now));
                ring.note(KeyDeed::MadeCurrent, &key_id.0, clock);
            }
            KeyStep::Remove(key_id) => {
                let leaves = ring.find(&key_id)?.may_leave_from;
                assert!(leaves.is_some_and(|at| now >= at), "{key_id} leaves too early");
                ring.view.keys.retain(|key| key.key_id != key_id);
                ring.note(KeyDeed::Removed, &key_id.0, clock);
            }
            KeyStep::Recorded(up_to) => ring.view.unrecorded.retain(|event| event.revision > up_to),
        }
        Ok(())
    }

    async fn carry_out(&self, order: KeyOrder) -> Result<Applied, KeyStepError> {
        for key in &order.keys {
            self.ring().note(KeyDeed::Replaced, &key.key_id.0, &self.clock);
        }
        Ok(Applied::default())
    }

    async fn reseal(&self, _epoch: u64) -> Result<Resealing, KeyStepError> {
        let mut ring = self.ring();
        ring.reseals += 1;
        if !ring.lacking.is_empty() {
            return Ok(Resealing::Waiting(ring.lacking.clone()));
        }
        Ok(Resealing::Done(std::mem::take(&mut ring.view.sealing.former)))
    }
}
