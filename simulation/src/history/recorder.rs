//! Where clients and faults note what they did, while it happens.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Answer;
use super::call::Call;
use super::closing::Closing;
use super::disturbance::{Disturbance, Effect};
use super::ids::NodeId;
use super::moment::Moment;
use super::{Entry, History};
use crate::lock::lock;

/// A history that grows. Copies write to the same one.
#[derive(Clone)]
pub struct Recorder {
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    history: Arc<Mutex<History>>,
}

impl Recorder {
    /// An empty history that begins now.
    pub fn start() -> Self {
        let begun = Instant::now();
        Self::by(move || begun.elapsed())
    }

    /// An empty history by a clock that says for how long the run goes on.
    pub fn by(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            history: Arc::default(),
        }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment::default().plus((self.clock)())
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

    /// A fault begins that others may overlap; answers its place in the history.
    pub fn disturb(&self, name: &str, effects: &[(Effect, BTreeSet<u64>)]) -> usize {
        let mut history = self.lock();
        let from = self.now();
        let effect = |(effect, nodes): &(Effect, BTreeSet<u64>)| {
            let nodes = nodes.iter().copied().map(NodeId).collect();
            (*effect, nodes, from, Moment::NEVER)
        };
        history.disturbances.push(Disturbance {
            name: name.to_owned(),
            from,
            until: Moment::NEVER,
            effects: effects.iter().map(effect).collect(),
        });
        history.disturbances.len() - 1
    }

    /// What a fault did to nodes is over, but for what they have missed.
    pub fn relieve(&self, place: usize) {
        let mut history = self.lock();
        let until = self.now();
        let disturbance = history.disturbances.get_mut(place);
        let effects = disturbance.into_iter().flat_map(|disturbance| &mut disturbance.effects);
        for (_, _, _, over) in effects.filter(|(effect, ..)| *effect == Effect::CutOff) {
            *over = (*over).min(until);
        }
    }

    /// All nodes have been seen to be well: no fault that is over has consequences any more.
    pub fn all_is_well(&self, places: &[usize]) {
        let mut history = self.lock();
        let until = self.now();
        for place in places {
            let Some(disturbance) = history.disturbances.get_mut(*place) else {
                continue;
            };
            disturbance.until = disturbance.until.min(until);
            for (_, _, _, over) in &mut disturbance.effects {
                *over = (*over).min(until);
            }
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
        lock(&self.history)
    }
}
