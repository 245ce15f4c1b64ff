//! Where the current incarnation of an actor is found. A reference to a former one is dead for ever, so nobody keeps one.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use ractor::{ActorId, ActorRef, Message, MessagingErr};

/// Holds the current incarnation, if there is one. Reading takes no lock.
pub(crate) struct Slot<M: Message> {
    actor: ArcSwapOption<ActorRef<M>>,
}

impl<M: Message> Slot<M> {
    /// Holds nothing.
    pub fn empty() -> Self {
        Self {
            actor: ArcSwapOption::empty(),
        }
    }

    /// A new incarnation takes over.
    pub fn set(&self, actor: ActorRef<M>) {
        self.actor.store(Some(Arc::new(actor)));
    }

    /// There is none for now; answers the last one.
    pub fn clear(&self) -> Option<ActorRef<M>> {
        self.actor.swap(None).map(|actor| (*actor).clone())
    }

    /// The current incarnation.
    pub fn current(&self) -> Option<ActorRef<M>> {
        self.actor.load().as_deref().cloned()
    }

    /// Whether that incarnation is the current one.
    pub fn holds(&self, id: ActorId) -> bool {
        self.actor.load().as_ref().is_some_and(|actor| actor.get_id() == id)
    }

    /// Whether there is a current incarnation; it may have died a moment ago.
    pub fn is_occupied(&self) -> bool {
        self.actor.load().is_some()
    }

    /// Puts a message into the mailbox, or hands it back if nobody will read it.
    pub fn send(&self, message: M) -> Result<(), Option<M>> {
        match self.actor.load().as_ref() {
            None => Err(Some(message)),
            Some(actor) => actor.send_message(message).map_err(|error| match error {
                MessagingErr::SendErr(message) => Some(message),
                MessagingErr::ChannelClosed | MessagingErr::InvalidActorType => None,
            }),
        }
    }
}
