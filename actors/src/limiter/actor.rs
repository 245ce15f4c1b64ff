//! One client's limiter as an actor, and what all limiters have in common.

use std::sync::Arc;
use std::time::Duration;

use domain::AgentId;
use domain::ports::Clock;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::class::LimitClass;
use super::lease::Leases;
use super::state::{LimiterState, Step};
use crate::meters::ActorMeters;
use crate::settings::LimiterSettings;
use crate::supervision::{ActorKind, Directory, Kin, Member};

/// What a limiter is told.
pub(crate) enum LimiterMessage {
    /// The window of this class is over; answer when the next one is open.
    Over {
        class: LimitClass,
        sent: Duration,
        done: oneshot::Sender<()>,
    },
}

pub(crate) type LimiterMember = Member<LimiterMessage, Leases>;
pub(crate) type LimiterDirectory = Directory<AgentId, LimiterMessage, Leases>;

/// What all limiters have in common.
pub(crate) struct LimiterKin {
    pub settings: LimiterSettings,
    pub clock: Arc<dyn Clock>,
    pub meters: Arc<ActorMeters>,
}

impl Kin for LimiterKin {
    type Key = AgentId;
    type Message = LimiterMessage;
    type Shared = Leases;
    type Actor = Limiter;
    const KIND: ActorKind = ActorKind::Limiter;
    /// Who gets a place is decided at the gate; see [`super::overflow`].
    const DELIVERY_INSERTS: bool = false;

    fn shared(&self) -> Leases {
        Leases::default()
    }

    fn actor(
        self: &Arc<Self>,
        client: AgentId,
        member: &Arc<LimiterMember>,
        directory: &Arc<LimiterDirectory>,
    ) -> (Limiter, LimiterArguments) {
        let arguments = LimiterArguments {
            client,
            member: member.clone(),
            directory: directory.clone(),
            kin: self.clone(),
        };
        (Limiter, arguments)
    }

    fn tick() -> Option<LimiterMessage> {
        None
    }

    fn may_retire(&self, member: &LimiterMember, now: Duration) -> bool {
        member.shared.are_over(now)
    }

    /// What has been handed out stands in the lease, so the actor itself is never missed.
    fn may_make_room(&self, _member: &LimiterMember) -> bool {
        true
    }
}

/// One client's limiter.
pub(crate) struct Limiter;

pub(crate) struct LimiterArguments {
    client: AgentId,
    member: Arc<LimiterMember>,
    directory: Arc<LimiterDirectory>,
    kin: Arc<LimiterKin>,
}

impl Actor for Limiter {
    type Msg = LimiterMessage;
    type State = (LimiterArguments, LimiterState);
    type Arguments = LimiterArguments;

    async fn pre_start(
        &self,
        _me: ActorRef<LimiterMessage>,
        arguments: LimiterArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let state = LimiterState::new(&arguments.kin.settings, &arguments.member.shared);
        Ok((arguments, state))
    }

    async fn handle(
        &self,
        _me: ActorRef<LimiterMessage>,
        LimiterMessage::Over { class, sent, done }: LimiterMessage,
        (arguments, state): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let kin = &arguments.kin;
        let now = kin.clock.monotonic();
        let waited = now.saturating_sub(sent);
        kin.meters.mailbox_wait(ActorKind::Limiter).record(waited);
        if let Step::Open { permits } = state.on_over(now, class) {
            let wall = kin.clock.now();
            let open = || arguments.member.shared.of(class).open(now, wall, permits);
            // A client that was forgotten meanwhile may have been given a new lease already, so this one stays closed.
            arguments
                .directory
                .while_present(arguments.client, &arguments.member, open);
        }
        // Whoever asked may have stopped waiting.
        let _ = done.send(());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ports::Entropy;
    use uuid::Uuid;

    use super::*;
    use crate::limiter::lease::Taken;
    use crate::seeded::SeededState;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(100)
        }
    }

    impl Entropy for Still {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    /// What is left in the client's lease after its limiter was told that the window is over.
    async fn taken_after_over(is_forgotten: bool) -> Taken {
        let kin = Arc::new(LimiterKin {
            settings: LimiterSettings::default(),
            clock: Arc::new(Still),
            meters: Arc::new(ActorMeters::default()),
        });
        let (client, directory) = (AgentId(Uuid::nil()), Arc::new(Directory::new(SeededState::new(&Still))));
        let member = directory.get_or_insert(client, Still.monotonic(), || kin.shared());
        let (actor, arguments) = kin.actor(client, &member, &directory);
        let (actor, _) = Actor::spawn(None, actor, arguments).await.expect("it starts");
        if is_forgotten {
            directory.remove_if(client, |_| true).expect("there");
        }
        let (done, told) = oneshot::channel();
        let over = LimiterMessage::Over {
            class: LimitClass::Token,
            sent: Still.monotonic(),
            done,
        };
        actor.send_message(over).expect("it lives");
        told.await.expect("it answers");
        member.shared.of(LimitClass::Token).take(Still.monotonic())
    }

    /// Whoever comes next gets a new lease; were the old one opened too, both together would give twice the limit.
    #[tokio::test]
    async fn the_limiter_of_a_client_that_was_forgotten_meanwhile_opens_no_window() {
        assert_eq!(taken_after_over(false).await, Taken::Permit { remaining: 99 });
        assert_eq!(taken_after_over(true).await, Taken::Over);
    }
}
