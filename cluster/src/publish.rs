//! The state that readers see: an immutable snapshot, replaced as a whole; and what the log holds beyond it.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use domain::{Revision, TokenFacts};
use tokio::sync::watch;

use crate::held::Held;
use crate::state::State;
use crate::state_machine::StateAt;

/// The latest applied state. Reading takes no lock; the persistent maps make publishing a copy of a few pointers.
pub(crate) struct Published {
    state: ArcSwap<State>,
    keys_changed: watch::Sender<Revision>,
    held: Arc<Held>,
}

impl Published {
    pub(crate) fn new(at: &StateAt, held: Arc<Held>) -> Self {
        let keys_changed = watch::Sender::new(at.state.keys().changed_at());
        let published = Self {
            state: ArcSwap::from_pointee(at.state.clone()),
            keys_changed,
            held,
        };
        published.forget_held(at);
        published
    }

    /// The state as it is now.
    pub(crate) fn load(&self) -> Guard<Arc<State>> {
        self.state.load()
    }

    /// What the log holds beyond the state.
    pub(crate) fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Whether a token is dead, or will be if what the log holds is committed.
    pub(crate) fn is_revoked(&self, token: &TokenFacts) -> bool {
        self.held.denies(token) || self.load().is_revoked(token)
    }

    /// Tells whoever watches the keys about changes to them.
    pub(crate) fn keys_changed(&self) -> watch::Receiver<Revision> {
        self.keys_changed.subscribe()
    }

    /// Shows readers a new state.
    pub(crate) fn publish(&self, at: &StateAt) {
        self.state.store(Arc::new(at.state.clone()));
        let changed_at = at.state.keys().changed_at();
        self.keys_changed
            .send_if_modified(|seen| std::mem::replace(seen, changed_at) != changed_at);
        self.forget_held(at);
    }

    fn forget_held(&self, at: &StateAt) {
        if let Some(applied) = at.applied {
            self.held.applied(applied.index, &at.membership);
        }
    }
}
