//! The way of an answer back to whoever waits for it. If the one that should answer dies, its machine says so, unless the
//! machine is gone too: then there is silence.

use tokio::sync::oneshot;

use super::network::{Network, Place};
use super::power::Power;

/// Why no answer will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Nobody was there to take the request.
    Refused,
    /// Whoever had taken it is gone.
    Broken,
}

/// Whoever waits; travels with the request.
pub struct Waiting<T>(oneshot::Sender<Result<T, Reset>>);

/// Waits for the answer. A lost one never comes.
pub struct Awaited<T>(oneshot::Receiver<Result<T, Reset>>);

/// The two ends of a question.
pub fn question<T>() -> (Waiting<T>, Awaited<T>) {
    let (waiting, awaited) = oneshot::channel();
    (Waiting(waiting), Awaited(awaited))
}

impl<T> Awaited<T> {
    /// The answer, or that none will come; waits for ever if it was lost.
    pub async fn get(self) -> Result<T, Reset> {
        match self.0.await {
            Ok(answer) => answer,
            Err(_lost) => std::future::pending().await,
        }
    }
}

/// Answers once, from where the request has arrived.
pub struct Reply<T: Send + 'static> {
    network: Network,
    /// From whom, to whom.
    way: (Place, Place),
    power: Power,
    waiting: Option<Waiting<T>>,
}

impl<T: Send + 'static> Reply<T> {
    /// From a machine with this power.
    pub fn new(network: Network, way: (Place, Place), power: Power, waiting: Waiting<T>) -> Self {
        Self {
            network,
            way,
            power,
            waiting: Some(waiting),
        }
    }

    /// Sends the answer.
    pub fn send(mut self, answer: T) {
        self.post("answer", Ok(answer));
    }

    /// Nobody is there.
    pub fn refuse(mut self) {
        self.post("refusal", Err(Reset::Refused));
    }

    fn post(&mut self, what: &str, answer: Result<T, Reset>) {
        if let Some(waiting) = self.waiting.take() {
            self.network.send(self.way, what, move |_| {
                // Whoever waited may have given up.
                let _ = waiting.0.send(answer);
            });
        }
    }
}

impl<T: Send + 'static> Drop for Reply<T> {
    fn drop(&mut self) {
        if self.power.is_on() {
            self.post("reset", Err(Reset::Broken));
        }
    }
}
