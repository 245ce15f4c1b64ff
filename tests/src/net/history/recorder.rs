//! Where clients and faults note what they did, while it happens.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::answer::Answer;
use super::call::Call;
use super::closing::Closing;
use super::disturbance::{Disturbance, Effect};
use super::ids::NodeId;
use super::moment::Moment;
use super::{Entry, History};

/// A history that grows. Copies write to the same one.
#[derive(Clone)]
pub struct Recorder {
    begun: Instant,
    history: Arc<Mutex<History>>,
}

impl Recorder {
    /// An empty history that begins now.
    pub fn start() -> Self {
        Self {
            begun: Instant::now(),
            history: Arc::default(),
        }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment::default().plus(self.begun.elapsed())
    }

    /// Notes a call that was made at `started` and has just been answered.
    pub fn note(&self, started: Moment, node: NodeId, call: Call, answer: Answer) {
        let mut history = self.lock();
        // Taken under the lock, so that entries are in the order of their ends.
        let ended = self.now();
        history.entries.push(Entry {
            started,
            ended,
            node,
            call,
            answer,
        });
    }

    /// Notes a request of the client that goes on until it is served.
    pub fn note_steady(&self, started: Moment, served: Option<Moment>) {
        self.lock().steady.push((started, served));
    }

    /// A fault is about to be injected.
    pub fn fault_begins(&self, name: &str) {
        let mut history = self.lock();
        let from = self.now();
        history.disturbances.push(Disturbance {
            name: name.to_owned(),
            from,
            until: Moment::NEVER,
            effects: Vec::new(),
        });
    }

    /// The fault of now is about to do this to these nodes.
    pub fn effect_begins(&self, effect: Effect, nodes: &BTreeSet<u64>) {
        let mut history = self.lock();
        let from = self.now();
        let nodes = nodes.iter().copied().map(NodeId).collect();
        if let Some(last) = history.disturbances.last_mut() {
            last.effects.push((effect, nodes, from, Moment::NEVER));
        }
    }

    /// The fault of now no longer does this to any node.
    pub fn effect_ends(&self, effect: Effect) {
        let mut history = self.lock();
        let until = self.now();
        let last = history.disturbances.last_mut();
        let effects = last.into_iter().flat_map(|last| &mut last.effects);
        for (what, _, _, over) in effects {
            if *what == effect && *over == Moment::NEVER {
                *over = until;
            }
        }
    }

    /// All nodes have been seen to be well again.
    pub fn fault_is_over(&self) {
        let effects = [Effect::MayLag, Effect::CutOff];
        effects.into_iter().for_each(|effect| self.effect_ends(effect));
        let mut history = self.lock();
        let until = self.now();
        if let Some(last) = history.disturbances.last_mut() {
            last.until = until;
        }
    }

    /// What is there at the end.
    pub fn close(&self, closing: Closing) {
        self.lock().closing = closing;
    }

    /// All of it.
    pub fn history(&self) -> History {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
