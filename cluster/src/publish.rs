//! The state that readers see: an immutable snapshot, replaced as a whole.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use domain::Revision;
use tokio::sync::watch;

use crate::state::State;

/// The latest applied state. Reading takes no lock; the persistent maps make publishing a copy of a few pointers.
pub(crate) struct Published {
    state: ArcSwap<State>,
    keys_changed: watch::Sender<Revision>,
    revision: watch::Sender<Revision>,
}

impl Published {
    pub(crate) fn new(state: State) -> Self {
        let keys_changed = watch::Sender::new(state.keys().changed_at());
        let revision = watch::Sender::new(state.revision());
        Self {
            state: ArcSwap::from_pointee(state),
            keys_changed,
            revision,
        }
    }

    /// The state as it is now.
    pub(crate) fn load(&self) -> Guard<Arc<State>> {
        self.state.load()
    }

    /// Tells whoever watches the keys about changes to them.
    pub(crate) fn keys_changed(&self) -> watch::Receiver<Revision> {
        self.keys_changed.subscribe()
    }

    /// Waits until readers see a state of at least this revision.
    pub(crate) async fn reached(&self, revision: Revision) {
        // The sender lives as long as this does, so that the channel can't be closed meanwhile.
        let _ = self.revision.subscribe().wait_for(|seen| *seen >= revision).await;
    }

    /// Shows readers a new state.
    pub(crate) fn publish(&self, state: &State) {
        self.state.store(Arc::new(state.clone()));
        let changed_at = state.keys().changed_at();
        self.keys_changed
            .send_if_modified(|seen| std::mem::replace(seen, changed_at) != changed_at);
        self.revision.send_replace(state.revision());
    }
}
