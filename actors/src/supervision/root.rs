//! The root supervisor: starts the permanent actors and replaces each one that fails, one for one.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::child::Child;
use super::health::ActorsHealth;
use super::restart::{RestartHistory, RestartPolicy, Verdict};
use crate::meters::ActorMeters;

/// The root supervisor.
pub(crate) struct Root;

/// What every incarnation starts with.
#[derive(Clone)]
pub(crate) struct RootArguments {
    pub children: Vec<Arc<dyn Child>>,
    pub policy: RestartPolicy,
    pub clock: Arc<dyn Clock>,
    pub health: ActorsHealth,
    pub meters: Arc<ActorMeters>,
}

/// A child and its record.
struct Supervised {
    child: Arc<dyn Child>,
    current: Option<ActorId>,
    history: RestartHistory,
}

pub(crate) struct RootState {
    children: Vec<Supervised>,
    arguments: RootArguments,
}

pub(crate) enum RootMessage {
    /// The pause of the child at this index is over.
    TryAgain(usize),
}

impl RootState {
    fn now(&self) -> Duration {
        self.arguments.clock.monotonic()
    }

    /// Starts a child, over and over until it lives or has failed too often.
    async fn start(&mut self, index: usize, me: &ActorRef<RootMessage>) {
        loop {
            let kind = self.children[index].child.kind();
            let started = self.children[index].child.start(me.get_cell()).await;
            match started {
                Ok(actor) => {
                    self.children[index].current = Some(actor.get_id());
                    self.arguments.meters.live(kind).set(1.0);
                    self.arguments.health.set_up(kind);
                    return;
                }
                Err(error) => tracing::error!(actor = kind.as_str(), %error, "an actor did not start"),
            }
            if !self.may_restart(index, me) {
                return;
            }
        }
    }

    /// Notes a failure; if it was one too many, leaves the child alone and says so.
    fn may_restart(&mut self, index: usize, me: &ActorRef<RootMessage>) -> bool {
        let now = self.now();
        let supervised = &mut self.children[index];
        let kind = supervised.child.kind();
        match supervised.history.on_failure(now, &self.arguments.policy) {
            Verdict::Restart => {
                self.arguments.meters.restarts(kind).increment(1);
                true
            }
            Verdict::Pause(pause) => {
                tracing::error!(
                    actor = kind.as_str(),
                    ?pause,
                    "an actor failed too often and is left alone"
                );
                supervised.child.clear();
                self.arguments.health.set_down(kind);
                me.send_after(pause, move || RootMessage::TryAgain(index));
                false
            }
        }
    }

    /// A child is gone, for whatever reason: permanent actors never stop by themselves.
    async fn on_exit(&mut self, actor: &ActorCell, reason: &str, me: &ActorRef<RootMessage>) {
        let Some(index) = self
            .children
            .iter()
            .position(|child| child.current == Some(actor.get_id()))
        else {
            return;
        };
        let kind = self.children[index].child.kind();
        tracing::error!(actor = kind.as_str(), reason, "an actor died");
        self.children[index].current = None;
        self.arguments.meters.live(kind).set(0.0);
        if self.may_restart(index, me) {
            self.start(index, me).await;
        }
    }
}

impl Actor for Root {
    type Msg = RootMessage;
    type State = RootState;
    type Arguments = RootArguments;

    async fn pre_start(
        &self,
        me: ActorRef<RootMessage>,
        arguments: RootArguments,
    ) -> Result<RootState, ActorProcessingErr> {
        let children = arguments.children.iter().map(|child| Supervised {
            child: child.clone(),
            current: None,
            history: RestartHistory::default(),
        });
        let mut state = RootState {
            children: children.collect(),
            arguments,
        };
        for index in 0..state.children.len() {
            state.start(index, &me).await;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<RootMessage>,
        RootMessage::TryAgain(index): RootMessage,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        if state.children[index].current.is_none() {
            state.start(index, &me).await;
        }
        Ok(())
    }

    /// Written out, since the default stops the supervisor when a child stops.
    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<RootMessage>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(actor, error) => state.on_exit(&actor, &error.to_string(), &me).await,
            SupervisionEvent::ActorTerminated(actor, _, reason) => {
                state.on_exit(&actor, reason.as_deref().unwrap_or("stopped"), &me).await;
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}
