//! What commands print: results on standard output, everything else on standard error.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use sdk::TransportFailure;

use super::client::failure::{describe, exit_of};
use super::complaint::Complaint;
use crate::app::StartError;
use crate::config::ConfigError;

/// Something went wrong on the command line's side.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node does not start, or did not stop well.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A node's operator listener refused, or did not answer.
    #[error("{}", describe(.0))]
    Operator(#[from] sdk::Error),
    /// The client can't be made.
    #[error("{0}")]
    Misconfigured(#[from] sdk::Misconfiguration),
    /// A file can't be read.
    #[error("{path} can't be read: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A node that is to join must be reachable.
    #[error(
        "the configuration names no cluster.listen: a node that is to join a cluster must be reachable by the others"
    )]
    NoClusterListener,
    /// Too many nodes, or none.
    #[error("--nodes must be from 1 to {most}")]
    Nodes {
        /// The most.
        most: u16,
    },
    /// The folder holds one node.
    #[error("{path} holds a node that stands alone; give the cluster a folder of its own with --data-dir")]
    OneNodeOnly {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds a cluster of another size.
    #[error(
        "the cluster in {path} has {nodes} nodes; start it with --nodes {nodes}, or give another folder with --data-dir"
    )]
    OtherNodes {
        /// The folder.
        path: PathBuf,
        /// Its size.
        nodes: usize,
    },
    /// A node of a development cluster does not come up.
    #[error("node {node_id} is not ready; its log says why: {log}")]
    NodeNotReady {
        /// Which.
        node_id: u64,
        /// Where its log is.
        log: PathBuf,
    },
    /// A file can't be written.
    #[error("{path} can't be written: {source}")]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is hard to undo was not confirmed.
    #[error("{0}; repeat the command with --yes if you are sure")]
    Unconfirmed(String),
    /// The output can't be written.
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    fn code(&self) -> &str {
        match self {
            Self::Config(_) | Self::Start(StartError::Config(_)) | Self::NoClusterListener => "CONFIGURATION_INVALID",
            Self::Start(_) | Self::NodeNotReady { .. } => "START_FAILED",
            Self::Operator(error) => error.code().unwrap_or("UNREACHABLE"),
            Self::Misconfigured(_) | Self::Unreadable { .. } | Self::Unwritable { .. } => "USAGE",
            Self::Unconfirmed(_) => "NOT_CONFIRMED",
            Self::Nodes { .. } | Self::OneNodeOnly { .. } | Self::OtherNodes { .. } => "USAGE",
            Self::Output(_) => "OUTPUT_FAILED",
        }
    }
}

/// Exit code for wrong usage and wrong configuration; clap uses the same.
pub const USAGE: u8 = 2;

/// The exit code of a command, with its error told.
pub fn finish(result: Result<(), CommandError>, is_json: bool) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough: `agentidp … | head`.
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let hint = match &error {
                CommandError::Operator(error) => operator_hint(error),
                _ => None,
            };
            let complaint = Complaint::new(error.code(), &error);
            Complaint { hint, ..complaint }.tell(is_json);
            match error {
                CommandError::Config(_) | CommandError::Start(StartError::Config(_)) | CommandError::Unconfirmed(_) => {
                    ExitCode::from(USAGE)
                }
                CommandError::Operator(error) => exit_of(&error).into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// What to do when an operator listener does not do what it was asked.
fn operator_hint(error: &sdk::Error) -> Option<String> {
    let text = match error {
        sdk::Error::Transport(error) if error.failure == TransportFailure::Connect => {
            "name the operator listener of a member that runs with --operator (for join: --seed)"
        }
        sdk::Error::Transport(error) if error.failure == TransportFailure::Broken => {
            "if that listener speaks TLS, its URL begins with https://"
        }
        _ if error.status() == Some(401) => {
            "show the operator token of this cluster, operator.token in the data directory of a node, with \
             --operator-token-file or AGENTIDP_OPERATOR_TOKEN; or show an operator's certificate"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// Prints a text and a line break, at once.
pub fn line(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Says what goes beside the result, where nobody takes it for one.
pub fn remark(text: &str) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    err.write_all(text.as_bytes())?;
    err.write_all(b"\n")
}
