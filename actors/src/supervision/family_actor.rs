//! The parent of a family: starts members on demand, replaces those that failed, retires those that idle.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::oneshot;

use super::call::InFlightPermit;
use super::eviction::longest_unused;
use super::family::{DirectoryOf, Kin, MemberOf};
use super::restart::{RestartHistory, RestartPolicy, Verdict};
use crate::meters::ActorMeters;

/// What a parent is told.
pub(crate) enum FamilyMessage<K: Kin> {
    /// Give this to the member with this key, starting its actor if need be. If that can't be, the message is dropped,
    /// and whoever waits for an answer to it learns so.
    Deliver(K::Key, K::Message, InFlightPermit),
    /// Look after idle members.
    Tick,
    /// Let every member finish what it has in its mailbox and stop; answer when all have.
    Close(oneshot::Sender<()>),
}

/// What every incarnation of a parent starts with.
pub(crate) struct FamilyArguments<K: Kin> {
    pub kin: Arc<K>,
    pub directory: Arc<DirectoryOf<K>>,
    pub clock: Arc<dyn Clock>,
    pub meters: Arc<ActorMeters>,
    pub policy: RestartPolicy,
    /// The most actors that live at once.
    pub live_max: usize,
    /// How often idle members are looked for.
    pub tick: Duration,
}

/// The parent of the family `K`.
pub(crate) struct Parent<K>(PhantomData<K>);

impl<K> Parent<K> {
    /// The actor's behaviour; all of its state is in [`FamilyState`].
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

pub(crate) struct FamilyState<K: Kin> {
    arguments: FamilyArguments<K>,
    living: BTreeMap<ActorId, (K::Key, Arc<MemberOf<K>>)>,
    /// Retired, but not yet done with their mailboxes.
    leaving: BTreeMap<ActorId, ActorCell>,
    troubles: BTreeMap<K::Key, RestartHistory>,
    closing: bool,
}

impl<K: Kin> FamilyState<K> {
    fn now(&self) -> Duration {
        self.arguments.clock.monotonic()
    }

    async fn deliver(&mut self, key: K::Key, message: K::Message, me: &ActorRef<FamilyMessage<K>>) {
        let Some(member) = self.member(key) else {
            return;
        };
        // It may have been started since the message was sent here.
        let Err(Some(message)) = member.slot.send(message) else {
            return;
        };
        if self.closing || self.is_left_alone(key) || !self.has_room() {
            return;
        }
        let (actor, arguments) = self.arguments.kin.actor(key, &member, &self.arguments.directory);
        match Actor::spawn_linked(None, actor, arguments, me.get_cell()).await {
            Ok((actor, _)) => {
                // It can't refuse: it was started a moment ago and nobody else knows it.
                let _ = actor.send_message(message);
                self.living.insert(actor.get_id(), (key, member.clone()));
                self.show_living();
                member.slot.set(actor);
            }
            Err(error) => {
                tracing::error!(actor = K::KIND.as_str(), %error, "an actor did not start");
                self.on_failure(key);
            }
        }
    }

    fn member(&self, key: K::Key) -> Option<Arc<MemberOf<K>>> {
        let FamilyArguments { kin, directory, .. } = &self.arguments;
        if K::DELIVERY_INSERTS {
            Some(directory.get_or_insert(key, self.now(), || kin.shared()))
        } else {
            directory.get(key, self.now())
        }
    }

    fn is_left_alone(&self, key: K::Key) -> bool {
        self.troubles
            .get(&key)
            .is_some_and(|history| history.is_paused(self.now()))
    }

    fn has_room(&mut self) -> bool {
        let live_max = self.arguments.live_max;
        if self.living.len() >= live_max {
            self.make_room();
        }
        let has_room = self.living.len() < live_max;
        if !has_room {
            tracing::warn!(
                actor = K::KIND.as_str(),
                live_max,
                "as many actors live as are allowed, all of them busy"
            );
        }
        has_room
    }

    /// Stops the actors that were not used for the longest time and can be spared: an eighth of all, so that those who
    /// come next find room without looking again.
    fn make_room(&mut self) {
        let arguments = &self.arguments;
        let spare = self
            .living
            .values()
            .filter(|(_, member)| arguments.kin.may_make_room(member))
            .map(|(key, member)| (member.used_at(), *key));
        let count = (arguments.live_max / 8).max(1);
        for key in longest_unused(spare.collect(), count) {
            if let Some(member) = self.arguments.directory.peek(key) {
                self.stop(&member);
            }
        }
    }

    /// Lets a member's actor finish what it has in its mailbox. Whoever sends to it from now on is sent back here.
    fn stop(&mut self, member: &MemberOf<K>) {
        let Some(actor) = member.slot.clear() else {
            return;
        };
        // One that died a moment ago, and is not in here any more, needs no farewell.
        if self.living.remove(&actor.get_id()).is_some() {
            self.leaving.insert(actor.get_id(), actor.get_cell());
            let _ = actor.get_cell().drain();
            self.show_living();
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        let kin = self.arguments.kin.clone();
        for key in self.arguments.directory.keys() {
            let idle = self
                .arguments
                .directory
                .remove_if(key, |member| kin.may_retire(member, now));
            if let Some(member) = idle {
                self.stop(&member);
            } else if let (Some(member), Some(message)) = (self.arguments.directory.peek(key), K::tick()) {
                // One that died a moment ago does not need to be told.
                let _ = member.slot.send(message);
            }
        }
        let policy = self.arguments.policy;
        self.troubles.retain(|_, history| !history.is_over(now, &policy));
    }

    fn on_exit(&mut self, actor: &ActorCell, reason: &str) {
        if self.leaving.remove(&actor.get_id()).is_some() {
            return;
        }
        let Some((key, member)) = self.living.remove(&actor.get_id()) else {
            return;
        };
        self.show_living();
        if member.slot.holds(actor.get_id()) {
            member.slot.clear();
        }
        if !self.closing {
            tracing::error!(actor = K::KIND.as_str(), ?key, reason, "an actor died");
            self.on_failure(key);
        }
    }

    fn on_failure(&mut self, key: K::Key) {
        let now = self.now();
        match self
            .troubles
            .entry(key)
            .or_default()
            .on_failure(now, &self.arguments.policy)
        {
            Verdict::Restart => self.arguments.meters.restarts(K::KIND).increment(1),
            Verdict::Pause(pause) => {
                tracing::error!(
                    actor = K::KIND.as_str(),
                    ?key,
                    ?pause,
                    "an actor failed too often and is left alone"
                );
            }
        }
    }

    fn show_living(&self) {
        let count = u32::try_from(self.living.len()).unwrap_or(u32::MAX);
        self.arguments.meters.live(K::KIND).set(f64::from(count));
    }

    async fn close(&mut self) {
        self.closing = true;
        let members: Vec<Arc<MemberOf<K>>> = self.living.values().map(|(_, member)| member.clone()).collect();
        for member in members {
            self.stop(&member);
        }
        for actor in std::mem::take(&mut self.leaving).values() {
            let _ = actor.wait(None).await;
        }
    }
}

impl<K: Kin> Actor for Parent<K> {
    type Msg = FamilyMessage<K>;
    type State = FamilyState<K>;
    type Arguments = FamilyArguments<K>;

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        arguments: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        me.send_interval(arguments.tick, || FamilyMessage::Tick);
        Ok(FamilyState {
            arguments,
            living: BTreeMap::new(),
            leaving: BTreeMap::new(),
            troubles: BTreeMap::new(),
            closing: false,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            FamilyMessage::Deliver(key, message, permit) => {
                state.deliver(key, message, &me).await;
                drop(permit);
            }
            FamilyMessage::Tick => state.tick(),
            FamilyMessage::Close(done) => {
                state.close().await;
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
        }
        Ok(())
    }

    /// Written out, since the default stops the parent, and with it the whole family, when one member stops.
    async fn handle_supervisor_evt(
        &self,
        _me: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(actor, error) => state.on_exit(&actor, &error.to_string()),
            SupervisionEvent::ActorTerminated(actor, _, reason) => {
                state.on_exit(&actor, reason.as_deref().unwrap_or("stopped"));
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}
