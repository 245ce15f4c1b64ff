//! A connection to one peer, on the dialing side: sends requests, brings back answers, and notices when nobody answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt as _, ReadHalf};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use super::calls::Calls;
use super::frame::Frame;
use super::greeting::Established;
use super::hello::printable;
use super::limits::TcpLimits;
use super::reading::MessageReader;
use super::retirement::Retirement;
use super::socket::BoxedStream;
use super::writing::write_frames;

/// Room for pings beside the requests.
const FRAMES_BESIDE_CALLS: usize = 4;
/// How long the last write of a connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const REPLACED: &str = "the connection was replaced by another";

/// Why a call brought no answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// The connection had ended before; another one may do.
    NotSent,
    /// It was not carried out.
    Refused(String),
    /// Whether it was carried out is not known.
    Interrupted(String),
}

/// Why a session takes no more calls.
#[derive(Debug)]
pub(super) enum Left {
    /// It is to be replaced, and goes on until its calls have been answered.
    Retired,
    /// It broke.
    Broken(String),
}

/// The calling side of a connection.
pub(super) struct Session {
    calls: Calls,
    frames: mpsc::Sender<Frame>,
    retire: Notify,
}

/// The working side: to be run until it ends.
pub(super) struct Driver {
    session: Arc<Session>,
    established: Established,
    queue: mpsc::Receiver<Frame>,
    left: oneshot::Sender<Left>,
    limits: TcpLimits,
}

impl Session {
    pub(super) fn new(established: Established, limits: TcpLimits) -> (Arc<Self>, Driver, oneshot::Receiver<Left>) {
        let (frames, queue) = mpsc::channel(limits.calls_max + FRAMES_BESIDE_CALLS);
        let session = Arc::new(Self {
            calls: Calls::default(),
            frames,
            retire: Notify::new(),
        });
        let (left, leaving) = oneshot::channel();
        let driver = Driver {
            session: session.clone(),
            established,
            queue,
            left,
            limits,
        };
        (session, driver, leaving)
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn call(&self, request: Bytes, deadline: Instant) -> Result<Bytes, CallError> {
        let mut pending = self.calls.begin().map_err(|_| CallError::NotSent)?;
        match self.frames.try_send(Frame::Request(pending.number(), request)) {
            Ok(()) => (),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(CallError::NotSent),
            Err(mpsc::error::TrySendError::Full(_)) => {
                return Err(CallError::Refused("too much waits to be sent to it".to_owned()));
            }
        }
        match timeout_at(deadline, pending.reply()).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(reason))) => Err(CallError::Refused(reason)),
            Ok(Err(reason)) => Err(CallError::Interrupted(reason)),
            Err(_) => Err(CallError::Interrupted("no answer came before the deadline".to_owned())),
        }
    }

    /// Whether it takes no more calls.
    pub(super) fn has_ended(&self) -> bool {
        self.calls.has_ended()
    }

    /// Has the connection closed as soon as no call waits.
    pub(super) fn retire(&self) {
        self.retire.notify_one();
    }
}

impl Driver {
    pub(super) async fn run(self) {
        let Self {
            session,
            established,
            mut queue,
            left,
            limits,
        } = self;
        let Established {
            mut reader,
            mut writer,
            replacement,
            ..
        } = established;
        let mut listening = Listening {
            session: &session,
            retirement: Retirement::new(replacement, limits.connection_age_max),
            left: Some(left),
            drained_at: None,
            limits: &limits,
        };
        let ended = tokio::select! {
            written = write_frames(&mut writer, &mut queue, limits.write_timeout) => {
                written.map_or_else(|error| error.to_string(), |()| "the connection was closed".to_owned())
            }
            reason = listening.run(&mut reader) => reason,
        };
        session.calls.end(&ended);
        if let Some(left) = listening.left.take() {
            // The owner may be gone already.
            let _ = left.send(Left::Broken(ended));
        }
        let _ = timeout(CLOSE_TIMEOUT, writer.shutdown()).await;
    }
}

/// The reading half of the work.
struct Listening<'a> {
    session: &'a Session,
    retirement: Retirement,
    left: Option<oneshot::Sender<Left>>,
    /// When a retired connection is closed, whether or not calls wait.
    drained_at: Option<Instant>,
    limits: &'a TcpLimits,
}

impl Listening<'_> {
    /// Returns why the connection is to be closed.
    async fn run(&mut self, reader: &mut MessageReader<ReadHalf<BoxedStream>>) -> String {
        let mut looks = interval(self.limits.ping_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let heard_at = reader.heard_at();
            let going_on = tokio::select! {
                message = reader.next() => match message {
                    Ok(message) => self.take(message),
                    Err(error) => Err(error.to_string()),
                },
                _ = looks.tick() => self.look(heard_at),
                reason = self.retirement.wait(), if self.left.is_some() => {
                    tracing::debug!(reason, "a connection is made anew");
                    self.retire();
                    Ok(())
                }
                () = self.session.retire.notified() => {
                    self.retire();
                    Ok(())
                }
            };
            if let Err(reason) = going_on {
                return reason;
            }
            if self.drained_at.is_some() && self.session.calls.end_if_idle(REPLACED) {
                return REPLACED.to_owned();
            }
        }
    }

    fn take(&mut self, message: Bytes) -> Result<(), String> {
        match Frame::read(message).map_err(|error| error.to_string())? {
            Frame::Answer(number, answer) => self.session.calls.finish(number, Ok(answer)),
            Frame::Unwilling(number, reason) => {
                self.session.calls.finish(number, Err(printable(reason.as_bytes())));
            }
            Frame::Pong => (),
            Frame::Goodbye => self.retire(),
            Frame::Request(..) | Frame::Ping => return Err("it asks on a connection on which it is asked".to_owned()),
        }
        Ok(())
    }

    /// Asks whether anybody is there, and gives up if nobody was for long.
    fn look(&self, heard_at: Instant) -> Result<(), String> {
        let silence = heard_at.elapsed();
        if silence >= self.limits.silence_max {
            return Err(format!("nothing was heard of it for {:?}", self.limits.silence_max));
        }
        if self.drained_at.is_some_and(|at| at <= Instant::now()) {
            return Err(REPLACED.to_owned());
        }
        if silence >= self.limits.ping_every {
            // If there is no room, requests wait, which are as good as a ping.
            let _ = self.session.frames.try_send(Frame::Ping);
        }
        Ok(())
    }

    fn retire(&mut self) {
        if let Some(left) = self.left.take() {
            self.drained_at = Some(Instant::now() + self.limits.drain_max);
            // The owner may be gone already.
            let _ = left.send(Left::Retired);
        }
    }
}
