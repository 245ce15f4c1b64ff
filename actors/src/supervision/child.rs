//! A permanent actor, as the root supervisor sees it: something that can be started again.

use std::sync::Arc;

use futures::future::BoxFuture;
use ractor::{Actor, ActorCell, SpawnErr};

use super::kind::ActorKind;
use super::slot::Slot;

/// Something that the root supervisor keeps alive.
pub(crate) trait Child: Send + Sync {
    /// What it is.
    fn kind(&self) -> ActorKind;
    /// Starts a new incarnation and makes it the current one.
    fn start(&self, supervisor: ActorCell) -> BoxFuture<'_, Result<ActorCell, SpawnErr>>;
    /// There is no incarnation for now.
    fn clear(&self);
    /// Kills the current incarnation, if there is one.
    fn kill(&self);
}

/// A permanent actor of type `A`.
pub(crate) struct Permanent<A: Actor> {
    kind: ActorKind,
    slot: Arc<Slot<A::Msg>>,
    first: fn() -> A::Msg,
    make: Box<dyn Fn() -> (A, A::Arguments) + Send + Sync>,
}

impl<A: Actor> Permanent<A> {
    /// `make` gives what a new incarnation starts with; callers find it in `slot`; `first` is what it is told once they
    /// do, so that it finds whatever was left for it while there was nobody to be told.
    pub fn child(
        kind: ActorKind,
        slot: Arc<Slot<A::Msg>>,
        first: fn() -> A::Msg,
        make: impl Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    ) -> Arc<dyn Child> {
        Arc::new(Self {
            kind,
            slot,
            first,
            make: Box::new(make),
        })
    }
}

impl<A: Actor> Child for Permanent<A> {
    fn kind(&self) -> ActorKind {
        self.kind
    }

    fn start(&self, supervisor: ActorCell) -> BoxFuture<'_, Result<ActorCell, SpawnErr>> {
        Box::pin(async move {
            let (actor, arguments) = (self.make)();
            let (actor, _) = Actor::spawn_linked(None, actor, arguments, supervisor).await?;
            self.slot.set(actor.clone());
            // If it is dead already, its supervisor will hear of it.
            let _ = actor.send_message((self.first)());
            Ok(actor.get_cell())
        })
    }

    fn clear(&self) {
        self.slot.clear();
    }

    fn kill(&self) {
        if let Some(actor) = self.slot.current() {
            actor.get_cell().kill();
        }
    }
}
