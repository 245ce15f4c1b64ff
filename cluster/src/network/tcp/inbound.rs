//! A connection from one peer, on the listening side: requests are carried out side by side, and answered as they are
//! done.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt as _, ReadHalf};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::budget::Budget;
use super::frame::Frame;
use super::greeting::Established;
use super::limits::{BODY_BYTES_MAX, TcpLimits};
use super::reading::MessageReader;
use super::retirement::Retirement;
use super::server::Answering;
use super::socket::BoxedStream;
use super::stopping::Stopping;
use super::writing::write_frames;

/// How many frames wait to be written. Answers beyond wait with their requests, which are counted.
const FRAMES_QUEUED: usize = 64;
/// How long the last write of a connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const DONE: &str = "it was asked to make a new one";

/// Answers the requests of one connection.
pub(super) struct Inbound<'a> {
    answering: Arc<dyn Answering>,
    limits: &'a TcpLimits,
    budget: Budget,
    /// Requests in hand.
    requests: JoinSet<()>,
    /// When the connection is closed after a goodbye, whether or not requests are in hand.
    drained_at: Option<Instant>,
}

impl<'a> Inbound<'a> {
    pub(super) fn new(answering: Arc<dyn Answering>, limits: &'a TcpLimits) -> Self {
        Self {
            answering,
            limits,
            budget: Budget::new(limits.requests_max, limits.request_bytes_max),
            requests: JoinSet::new(),
            drained_at: None,
        }
    }

    /// Serves the connection; returns why it ended.
    pub(super) async fn run(mut self, established: Established, stopping: Stopping) -> String {
        let Established {
            mut reader,
            mut writer,
            replacement,
            ..
        } = established;
        let retirement = Retirement::new(replacement, self.limits.connection_age_max);
        let (frames, mut queue) = mpsc::channel(FRAMES_QUEUED);
        let write_timeout = self.limits.write_timeout;
        let ended = tokio::select! {
            written = write_frames(&mut writer, &mut queue, write_timeout) => {
                written.map_or_else(|error| error.to_string(), |()| DONE.to_owned())
            }
            reason = self.listen(&mut reader, frames, retirement, stopping) => reason,
        };
        let _ = timeout(CLOSE_TIMEOUT, writer.shutdown()).await;
        ended
    }

    async fn listen(
        &mut self,
        reader: &mut MessageReader<ReadHalf<BoxedStream>>,
        frames: mpsc::Sender<Frame>,
        mut retirement: Retirement,
        mut stopping: Stopping,
    ) -> String {
        let mut looks = interval(self.limits.ping_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (heard_at, is_open) = (reader.heard_at(), self.drained_at.is_none());
            let going_on = tokio::select! {
                message = reader.next() => match message {
                    Ok(message) => self.take(message, &frames).await,
                    Err(error) => Err(error.to_string()),
                },
                _ = looks.tick() => self.look(heard_at),
                Some(ended) = self.requests.join_next() => check(ended),
                _ = retirement.wait(), if is_open => self.say_goodbye(&frames).await,
                () = stopping.wait(), if is_open => self.say_goodbye(&frames).await,
            };
            if let Err(reason) = going_on {
                return reason;
            }
        }
    }

    async fn take(&mut self, message: Bytes, frames: &mpsc::Sender<Frame>) -> Result<(), String> {
        let reply = match Frame::read(message).map_err(|error| error.to_string())? {
            Frame::Ping => Some(Frame::Pong),
            Frame::Request(number, request) => self.begin(number, request, frames),
            Frame::Answer(..) | Frame::Unwilling(..) | Frame::Pong | Frame::Goodbye => {
                return Err("it answers on a connection on which it asks".to_owned());
            }
        };
        if let Some(reply) = reply {
            // While it takes nothing, nothing more is read of it; the time limit of writes bounds that.
            let _ = frames.send(reply).await;
        }
        Ok(())
    }

    /// Begins to carry out a request, or says why not.
    fn begin(&mut self, number: u64, request: Bytes, frames: &mpsc::Sender<Frame>) -> Option<Frame> {
        let share = match self.budget.take(request.len()) {
            Ok(share) => share,
            Err(reason) => return Some(Frame::Unwilling(number, reason)),
        };
        let (answering, frames) = (self.answering.clone(), frames.clone());
        self.requests.spawn(async move {
            let answer = Bytes::from(answering.answer(&request).await);
            let reply = if answer.len() > Frame::payload_bytes_max(BODY_BYTES_MAX) {
                Frame::Unwilling(number, format!("an answer of {} bytes is too long", answer.len()))
            } else {
                Frame::Answer(number, answer)
            };
            // The connection may have ended meanwhile.
            let _ = frames.send(reply).await;
            drop(share);
        });
        None
    }

    fn look(&self, heard_at: Instant) -> Result<(), String> {
        if heard_at.elapsed() >= self.limits.idle_max {
            return Err(format!("nothing was heard of it for {:?}", self.limits.idle_max));
        }
        if self.drained_at.is_some_and(|at| at <= Instant::now()) {
            return Err(DONE.to_owned());
        }
        Ok(())
    }

    async fn say_goodbye(&mut self, frames: &mpsc::Sender<Frame>) -> Result<(), String> {
        self.drained_at = Some(Instant::now() + self.limits.drain_max);
        let _ = frames.send(Frame::Goodbye).await;
        Ok(())
    }
}

/// A request that failed is never answered: closing the connection tells whoever waits.
fn check(ended: Result<(), JoinError>) -> Result<(), String> {
    ended.map_err(|error| {
        tracing::error!(%error, "a request of another node failed");
        "a request failed in a way that should not happen".to_owned()
    })
}
