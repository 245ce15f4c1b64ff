//! A child process whose output goes to files and whose end is always awaited.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::eventually::{DEADLINE, within};

/// A running child. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `command` with both outputs appended to `log`, and hands out the first line of standard output, or `None`
    /// when it ends without one.
    pub fn start(command: &mut Command, log: &Path) -> (Self, oneshot::Receiver<Option<String>>) {
        let errors = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .expect("the log can be written");
        let output = errors.try_clone().expect("a file handle can be cloned");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(errors));
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{:?} can't be started: {error}", command.get_program()));
        let pipe = child.stdout.take().expect("the output was asked for");
        let (send, first_line) = oneshot::channel();
        std::thread::spawn(move || copy(pipe, output, send));
        (Self { child }, first_line)
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Ends it as a crash would: without a chance to do anything.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it is still there.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended; panics if it does not within the usual deadline.
    pub async fn exit(&mut self) -> ExitStatus {
        self.exit_within(DEADLINE).await
    }

    /// As [`Process::exit`], with a deadline of its own.
    pub async fn exit_within(&mut self, deadline: Duration) -> ExitStatus {
        let child = std::cell::RefCell::new(&mut self.child);
        let ended = || std::future::ready(child.borrow_mut().try_wait().expect("a child can be waited for"));
        within(deadline, "the process to end", ended).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal by its name, such as `TERM`, to a process by its id.
pub fn signal(pid: u32, name: &str) {
    assert!(try_signal(pid, name), "SIG{name} could not be sent");
}

/// As [`signal`], to a process that may be gone; whether it was there.
pub fn try_signal(pid: u32, name: &str) -> bool {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("kill -{name} {pid}")])
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Hands on the first line, keeps everything, and never lets the pipe fill up.
fn copy(pipe: impl Read, mut log: impl Write, first_line: oneshot::Sender<Option<String>>) {
    let mut reader = BufReader::new(pipe);
    let mut line = String::new();
    let read = reader.read_line(&mut line).unwrap_or(0);
    let _ = log.write_all(line.as_bytes());
    let _ = first_line.send((read > 0).then(|| line.trim_end().to_owned()));
    let _ = std::io::copy(&mut reader, &mut log);
}
