//! The processes of a development cluster's nodes.

use std::fs::{File, OpenOptions};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::layout::Member;
use crate::cli::output::CommandError;
use crate::config::Environment;

/// How long a node may take to stop.
const STOP_MAX: Duration = Duration::from_secs(35);
/// How often the nodes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A node's process. It stops when its standard input ends: when we close it, and also when this process is killed.
pub struct Node {
    /// The node's number.
    pub node_id: u64,
    /// The process; the number stays known when it has ended.
    pub pid: u32,
    process: Child,
    has_ended: bool,
}

/// All of them.
#[derive(Default)]
pub struct Children(Vec<Node>);

impl Children {
    /// Starts a node.
    pub fn start(&mut self, member: &Member, environment: &Environment) -> Result<(), CommandError> {
        let log = log_file(member)?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", "--until-input-ends", "--config"])
            .arg(member.config_file())
            .env_clear()
            .envs(environment.of_nodes().iter())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        let process = command.spawn()?;
        self.0.push(Node {
            node_id: member.node_id,
            pid: process.id().unwrap_or(0),
            process,
            has_ended: false,
        });
        Ok(())
    }

    /// The processes, by their nodes' numbers.
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// Whether a node has ended.
    pub fn has_ended(&mut self, node_id: u64) -> bool {
        let mut nodes = self.0.iter_mut().filter(|node| node.node_id == node_id);
        nodes.any(|node| !matches!(node.process.try_wait(), Ok(None)))
    }

    /// A node that has ended since it was last asked.
    fn newly_ended(&mut self) -> Option<u64> {
        for node in self.0.iter_mut().filter(|node| !node.has_ended) {
            if !matches!(node.process.try_wait(), Ok(None)) {
                node.has_ended = true;
                return Some(node.node_id);
            }
        }
        None
    }

    /// Tells when nodes end by themselves or are killed; the others go on. Returns when all have ended.
    pub async fn watch(&mut self) {
        while self.0.iter().any(|node| !node.has_ended) {
            while let Some(node_id) = self.newly_ended() {
                tracing::warn!(node_id, "a node has ended; the others go on");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks all to stop, and waits until they have.
    pub async fn stop(mut self) {
        self.0.iter_mut().for_each(|node| drop(node.process.stdin.take()));
        for node in &mut self.0 {
            if timeout(STOP_MAX, node.process.wait()).await.is_err() {
                tracing::warn!(node_id = node.node_id, "a node did not stop in time and is ended");
                let _ = node.process.kill().await;
            }
        }
    }
}

fn log_file(member: &Member) -> Result<File, CommandError> {
    Ok(OpenOptions::new().create(true).append(true).open(member.log_file())?)
}
