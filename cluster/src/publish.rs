//! The state that readers see: an immutable snapshot, replaced as a whole; and what the log holds beyond it.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use domain::{Revision, TokenFacts};
use tokio::sync::watch;

use crate::held::Held;
use crate::state::State;

/// The latest applied state. Reading takes no lock; the persistent maps make publishing a copy of a few pointers.
pub(crate) struct Published {
    state: ArcSwap<State>,
    keys_changed: watch::Sender<Revision>,
    held: Arc<Held>,
}

impl Published {
    pub(crate) fn new(state: State, held: Arc<Held>) -> Self {
        let keys_changed = watch::Sender::new(state.keys().changed_at());
        Self {
            state: ArcSwap::from_pointee(state),
            keys_changed,
            held,
        }
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

    /// Shows readers a new state, which has the log up to `applied`.
    pub(crate) fn publish(&self, state: &State, applied: Option<u64>) {
        self.state.store(Arc::new(state.clone()));
        let changed_at = state.keys().changed_at();
        self.keys_changed
            .send_if_modified(|seen| std::mem::replace(seen, changed_at) != changed_at);
        if let Some(applied) = applied {
            self.held.applied(applied);
        }
    }
}
