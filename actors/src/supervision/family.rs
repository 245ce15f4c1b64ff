//! Actors of one kind that are started on demand, one for each key: how the rest of the crate reaches them.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use ractor::{Actor, Message};

use super::call::{InFlight, NoAnswer};
use super::directory::{Directory, Member};
use super::family_actor::FamilyMessage;
use super::kind::ActorKind;
use super::slot::Slot;
use crate::seeded::SeededState;

/// A member of the family `K`.
pub(crate) type MemberOf<K> = Member<<K as Kin>::Message, <K as Kin>::Shared>;
/// The directory of the family `K`.
pub(crate) type DirectoryOf<K> = Directory<<K as Kin>::Key, <K as Kin>::Message, <K as Kin>::Shared>;

/// What the members of a family have in common.
pub(crate) trait Kin: Sized + Send + Sync + 'static {
    /// What tells them apart.
    type Key: Copy + Ord + Hash + Debug + Send + Sync + 'static;
    /// What they are told.
    type Message: Message;
    /// What outlives each one's actor.
    type Shared: Send + Sync + 'static;
    /// The actor.
    type Actor: Actor<Msg = Self::Message>;
    /// What a member is.
    const KIND: ActorKind;
    /// Whether a message to a key that is not in the directory puts it there; otherwise the message is dropped.
    const DELIVERY_INSERTS: bool;

    /// What outlives the actor, as it is at first.
    fn shared(&self) -> Self::Shared;
    /// What a new incarnation starts with.
    fn actor(
        self: &Arc<Self>,
        key: Self::Key,
        member: &Arc<MemberOf<Self>>,
        directory: &Arc<DirectoryOf<Self>>,
    ) -> (Self::Actor, <Self::Actor as Actor>::Arguments);
    /// What every living member is told now and then.
    fn tick() -> Option<Self::Message>;
    /// Whether a member may be forgotten, since what it knows can't matter any more or is written down.
    fn may_retire(&self, member: &MemberOf<Self>, now: Duration) -> bool;
    /// Whether a member's actor may be stopped to make room for another's; it is started again when it is next needed.
    fn may_make_room(&self, member: &MemberOf<Self>) -> bool;
}

/// Reaches the members of a family.
pub(crate) struct Family<K: Kin> {
    pub kin: Arc<K>,
    pub directory: Arc<DirectoryOf<K>>,
    pub parent: Arc<Slot<FamilyMessage<K>>>,
    pub clock: Arc<dyn Clock>,
    /// The messages on their way through the parent.
    starting: InFlight,
}

/// The most messages that wait for the parent to start the actor that they are for.
pub(crate) const STARTING_MAX: usize = 16_384;

impl<K: Kin> Family<K> {
    /// A family without members.
    pub fn new(kin: Arc<K>, clock: Arc<dyn Clock>, hash: SeededState) -> Self {
        Self {
            kin,
            directory: Arc::new(Directory::new(hash)),
            parent: Arc::new(Slot::empty()),
            clock,
            starting: InFlight::default(),
        }
    }

    /// The member with this key; its actor is started when the first message comes.
    pub fn member(&self, key: K::Key) -> Arc<MemberOf<K>> {
        self.directory
            .get_or_insert(key, self.clock.monotonic(), || self.kin.shared())
    }

    /// Puts a message into the mailbox of the member's actor; if it has none, the parent starts one.
    pub fn deliver(&self, key: K::Key, member: &MemberOf<K>, message: K::Message) -> Result<(), NoAnswer> {
        match member.slot.send(message) {
            Ok(()) => Ok(()),
            Err(None) => Err(NoAnswer::Died),
            Err(Some(message)) => {
                let permit = self.starting.enter(STARTING_MAX)?;
                let sent = self.parent.send(FamilyMessage::Deliver(key, message, permit));
                sent.map_err(|_| NoAnswer::Down)
            }
        }
    }

    /// Kills one member's actor, as a bug in it would.
    pub fn kill(&self, key: K::Key) {
        if let Some(actor) = self.directory.peek(key).and_then(|member| member.slot.current()) {
            actor.get_cell().kill();
        }
    }
}
