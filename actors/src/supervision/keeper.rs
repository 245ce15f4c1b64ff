//! Keeps the root supervisor itself alive: a task that starts a new one when the last one is gone.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ractor::{Actor, ActorRef};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::kind::ActorKind;
use super::root::{Root, RootArguments, RootMessage};
use crate::error::ActorError;

/// How long a root supervisor that died is left alone. Its children died with it, so this is also how long every call is
/// refused.
const PAUSE: Duration = Duration::from_millis(100);

/// Owns the root supervisor.
pub(crate) struct Keeper {
    root: Arc<ArcSwap<ActorRef<RootMessage>>>,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Starts the root supervisor and with it every permanent actor.
    pub async fn start(arguments: RootArguments) -> Result<Self, ActorError> {
        let (actor, running) = spawn(&arguments).await?;
        let root = Arc::new(ArcSwap::from_pointee(actor));
        let (closing, closed) = watch::channel(false);
        let task = tokio::spawn(keep(root.clone(), running, arguments, closed));
        Ok(Self { root, closing, task })
    }

    /// Kills the root supervisor, as a bug in it would.
    pub fn kill(&self) {
        self.root.load().get_cell().kill();
    }

    /// Stops the root supervisor, and with it whatever still lives.
    pub async fn stop(self) {
        self.closing.send_replace(true);
        self.root.load().get_cell().stop(None);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that keeps the supervisor alive failed");
        }
    }
}

async fn spawn(arguments: &RootArguments) -> Result<(ActorRef<RootMessage>, JoinHandle<()>), ActorError> {
    Root::spawn(None, Root, arguments.clone())
        .await
        .map_err(|error| ActorError::DidNotStart(error.to_string()))
}

async fn keep(
    root: Arc<ArcSwap<ActorRef<RootMessage>>>,
    mut running: JoinHandle<()>,
    arguments: RootArguments,
    mut closing: watch::Receiver<bool>,
) {
    loop {
        let ended = running.await;
        arguments.health.set_down(ActorKind::Supervisor);
        if *closing.borrow() {
            return;
        }
        tracing::error!(?ended, "the supervisor died; everything below it is started again");
        running = loop {
            tokio::select! {
                biased;
                _ = closing.changed() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
            match spawn(&arguments).await {
                Ok((actor, running)) => {
                    root.store(Arc::new(actor));
                    break running;
                }
                Err(error) => tracing::error!(%error, "the supervisor did not start"),
            }
        };
        arguments.meters.restarts(ActorKind::Supervisor).increment(1);
        arguments.health.set_up(ActorKind::Supervisor);
    }
}
