//! What happened, line by line. Two runs of a seed write the same bytes, whose digest is therefore the same.

use std::fmt::Arguments;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use crate::lock::lock;

/// How many of the last lines are kept in memory.
const KEPT: usize = 400;

/// Where events are noted. Copies write to the same place.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<Inner>>);

struct Inner {
    digest: Context,
    lines: u64,
    last: std::collections::VecDeque<String>,
    file: Option<Box<dyn Write + Send>>,
}

impl Trace {
    /// An empty one, which is also written to a file if there is one.
    pub fn new(file: Option<Box<dyn Write + Send>>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            digest: Context::new(&SHA256),
            lines: 0,
            last: std::collections::VecDeque::new(),
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
        if inner.last.len() == KEPT {
            inner.last.pop_front();
        }
        inner.last.push_back(line);
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

    /// The last lines.
    pub fn last(&self) -> Vec<String> {
        self.lock().last.iter().cloned().collect()
    }

    /// Makes sure that the file has all of it.
    pub fn flush(&self) -> std::io::Result<()> {
        self.lock().file.as_mut().map_or(Ok(()), |file| file.flush())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }
}
