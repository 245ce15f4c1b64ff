//! Tells all who work for an owner to come to an end.

use tokio::sync::watch;

/// The owner's end.
pub(super) struct Stop(watch::Sender<bool>);

/// The end of one who works for the owner.
#[derive(Clone)]
pub(super) struct Stopping(watch::Receiver<bool>);

impl Stop {
    pub(super) fn new() -> (Self, Stopping) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stopping(receiver))
    }

    pub(super) fn tell(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Returns when the owner says so, or is gone.
    pub(super) async fn wait(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
