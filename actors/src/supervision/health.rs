//! Whether the node's actors are well enough for it to take requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;

use super::kind::ActorKind;

/// Tells which kinds of actors are down: left alone because they failed too often, or stopped. One that is replaced at
/// once is not down.
#[derive(Clone)]
pub struct ActorsHealth {
    down: Arc<watch::Sender<BTreeSet<ActorKind>>>,
}

impl ActorsHealth {
    /// Everything is well.
    pub(crate) fn new() -> Self {
        Self {
            down: Arc::new(watch::Sender::new(BTreeSet::new())),
        }
    }

    /// Whether the node can take requests, as far as its actors are concerned.
    pub fn is_ready(&self) -> bool {
        self.down.borrow().is_empty()
    }

    /// What is down.
    pub fn down(&self) -> Vec<ActorKind> {
        self.down.borrow().iter().copied().collect()
    }

    /// Wakes whenever something goes down or comes back.
    pub fn changes(&self) -> watch::Receiver<BTreeSet<ActorKind>> {
        self.down.subscribe()
    }

    pub(crate) fn set_down(&self, kind: ActorKind) {
        self.down.send_if_modified(|down| down.insert(kind));
    }

    pub(crate) fn set_up(&self, kind: ActorKind) {
        self.down.send_if_modified(|down| down.remove(&kind));
    }
}
