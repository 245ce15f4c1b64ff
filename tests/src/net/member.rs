//! A node of the cluster: a configuration, a namespace, and a process that can be ended, stopped and paused.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::blueprint::{Blueprint, NodePlan};
use super::failure::Failure;
use super::faketime::Faketime;
use super::network::Network;
use crate::full_disk::SmallDisk;
use crate::{binary, process, settings};

/// How long a node may take to end after SIGTERM: its drain and some more.
const STOP_MAX: Duration = Duration::from_secs(30);

/// A node. Its process ends when this is dropped, and also when the suite is killed.
pub struct Member {
    /// What it was made from.
    pub plan: NodePlan,
    /// Its data directory's file system, if that is one of its own.
    pub disk: Option<SmallDisk>,
    config_file: PathBuf,
    log_file: PathBuf,
    running: Option<Running>,
}

struct Running {
    child: Child,
    pid: u32,
    // The node ends when this does.
    _input: Option<ChildStdin>,
}

impl Member {
    /// A node that was not started yet.
    pub fn new(plan: NodePlan, disk: Option<SmallDisk>, blueprint: &Blueprint) -> Self {
        Self {
            config_file: blueprint.config_file(plan.node_id),
            log_file: blueprint.log_file(plan.node_id),
            plan,
            disk,
            running: None,
        }
    }

    /// Starts its process, with a wall clock of its own if one is given.
    pub fn start(&mut self, network: &Network, clock: Option<&Faketime>) -> Result<(), Failure> {
        self.kill();
        let log = OpenOptions::new().create(true).append(true).open(&self.log_file)?;
        let mut command = Command::from(network.command_at(self.plan.node_id, &binary::path()));
        command
            .args(["serve", "--until-input-ends", "--config"])
            .arg(&self.config_file)
            .env_clear()
            .env("PATH", settings::search_path())
            .env("RUST_BACKTRACE", "1")
            .envs(clock.map(Faketime::environment).unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().ok_or_else(|| Failure::new("a process has ended at once"))?;
        self.running = Some(Running {
            _input: child.stdin.take(),
            child,
            pid,
        });
        Ok(())
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            process::try_signal(running.pid, "KILL");
        }
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(&mut self) -> Result<ExitStatus, Failure> {
        let Some(mut running) = self.running.take() else {
            return Err(Failure::new(format!("node {} does not run", self.plan.node_id)));
        };
        process::try_signal(running.pid, "TERM");
        let ended = timeout(STOP_MAX, running.child.wait()).await;
        let ended = ended.map_err(|_| {
            let node_id = self.plan.node_id;
            Failure::new(format!("node {node_id} did not end within {STOP_MAX:?} of SIGTERM"))
        })?;
        Ok(ended?)
    }

    /// Stops its process from doing anything, as a machine does that is paused.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Whether its process is there.
    pub fn is_running(&mut self) -> bool {
        let running = self.running.as_mut();
        running.is_some_and(|running| matches!(running.child.try_wait(), Ok(None)))
    }

    /// Where agents find it.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.plan.client_side, super::blueprint::AGENTS_PORT)
    }

    /// The last lines that it said.
    pub fn last_words(&self, lines: usize) -> String {
        let text = std::fs::read(&self.log_file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn signal(&self, name: &str) {
        if let Some(running) = &self.running {
            process::try_signal(running.pid, name);
        }
    }
}
