//! SIGTERM and SIGINT: the first asks the node to stop, a second ends the process at once. SIGHUP asks it to reload.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To stop.
    Stop,
    /// To reload what can be reloaded.
    Reload,
}

/// What SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// To reload.
    Reloads,
    /// That the terminal is gone, and the process with it.
    Ends,
}

/// The signals that a node listens to.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
    input: Option<oneshot::Receiver<()>>,
}

impl Signals {
    /// From now on the signals no longer end the process by themselves.
    pub fn listen(hangup: Hangup) -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: match hangup {
                Hangup::Reloads => Some(signal(SignalKind::hangup())?),
                Hangup::Ends => None,
            },
            input: None,
        })
    }

    /// The end of standard input asks to stop, too.
    pub fn also_when_input_ends(&mut self) {
        let (ended, input) = oneshot::channel();
        // A thread of its own and not the runtime's, which would wait for the input when it ends.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = ended.send(());
        });
        self.input = Some(input);
    }

    /// Waits for the next of any.
    pub async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        let input = async {
            match &mut self.input {
                Some(input) => drop(input.await),
                None => pending().await,
            }
            self.input = None;
        };
        tokio::select! {
            () = input => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = hangup => Asked::Reload,
        }
    }

    /// Waits until it is asked to stop, whatever else is asked.
    pub async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}
