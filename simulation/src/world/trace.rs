//! What happened, line by line. Two runs of a seed write the same bytes, whose digest is therefore the same.

use std::fmt::Arguments;
use std::io::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::network::Place;
use crate::lock::lock;

/// How many lines of a closer look are kept at most.
const KEPT: usize = 5_000;

/// A part of a run, in detail.
#[derive(Clone, Debug, Default)]
pub struct Closeup {
    /// From when until when.
    pub window: Range<Duration>,
    /// What happened, and when.
    pub lines: Vec<(Duration, String)>,
    /// What was sent.
    pub messages: Vec<Message>,
}

/// Something that was sent over the network.
#[derive(Clone, Debug)]
pub struct Message {
    /// From where to where.
    pub way: (Place, Place),
    /// What.
    pub what: String,
    /// When.
    pub sent: Duration,
    /// When it arrives; `None` if it is lost.
    pub arrives: Option<Duration>,
}

/// Where events are noted. Copies write to the same place.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<Inner>>);

struct Inner {
    digest: Context,
    lines: u64,
    closeup: Closeup,
    file: Option<Box<dyn Write + Send>>,
}

impl Trace {
    /// An empty one, which is also written to a file if there is one, and takes a closer look at a part of the run.
    pub fn new(file: Option<Box<dyn Write + Send>>, window: Range<Duration>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            digest: Context::new(&SHA256),
            lines: 0,
            closeup: Closeup {
                window,
                ..Closeup::default()
            },
            file,
        })))
    }

    /// Notes an event.
    pub fn note(&self, at: Duration, event: Arguments<'_>) {
        let micros = at.as_micros();
        let line = format!("{}.{:06} {event}\n", micros / 1_000_000, micros % 1_000_000);
        let mut inner = self.lock();
        inner.digest.update(line.as_bytes());
        inner.lines += 1;
        if let Some(file) = &mut inner.file
            && file.write_all(line.as_bytes()).is_err()
        {
            // A full disk must not change the run; the digest says what it was.
            inner.file = None;
        }
        if inner.closeup.window.contains(&at) && inner.closeup.lines.len() < KEPT {
            inner.closeup.lines.push((at, line));
        }
    }

    /// Notes what is sent.
    pub fn sent(&self, message: Message, number: u64) {
        let Message { way, what, sent, .. } = &message;
        let (from, to) = way;
        match message.arrives.map(|arrives| arrives - *sent) {
            Some(late) => self.note(*sent, format_args!("{from} -> {to} {what} #{number} {late:?}")),
            None => self.note(*sent, format_args!("{from} -> {to} {what} #{number} lost")),
        }
        let mut inner = self.lock();
        if inner.closeup.window.contains(&message.sent) && inner.closeup.messages.len() < KEPT {
            inner.closeup.messages.push(message);
        }
    }

    /// How many lines there are.
    pub fn lines(&self) -> u64 {
        self.lock().lines
    }

    /// The SHA-256 of all lines, in hexadecimal.
    pub fn digest(&self) -> String {
        let digest = self.lock().digest.clone().finish();
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The closer look.
    pub fn closeup(&self) -> Closeup {
        self.lock().closeup.clone()
    }

    /// Makes sure that the file has all of it.
    pub fn flush(&self) -> std::io::Result<()> {
        self.lock().file.as_mut().map_or(Ok(()), |file| file.flush())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }
}
