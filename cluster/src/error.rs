//! What can go wrong with the replicated state. Messages tell an operator what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::Timestamp;
use domain::ports::ReplicationError;

use crate::sealing::SealingError;

/// Why a node did not start, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The settings contradict each other.
    #[error("the cluster's settings cannot work: {0}")]
    Config(&'static str),
    /// A file or folder could not be read or written.
    #[error("cannot use {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error("{path} is in use by another process; stop that process, or give this one a data directory of its own")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The folder belongs to another node.
    #[error("{path} belongs to node {found}, not to node {expected}; correct the node id or the data directory")]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        found: u64,
        /// Who wanted to open it.
        expected: u64,
    },
    /// The folder of a node that is to join holds a log.
    #[error(
        "{path} holds a node of a cluster already, and a node joins with nothing: remove that folder, or give the node a data \
         directory of its own"
    )]
    NoNewcomer {
        /// The folder.
        path: PathBuf,
    },
    /// The folder was written by a later version of this software.
    #[error(
        "{path} was written in format {found}, this version knows formats up to {known}; install {} here",
        wanted(written_by.as_deref())
    )]
    NewerFormat {
        /// The file or folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format that this version knows.
        known: u32,
        /// The version of the software that wrote it, if that is known.
        written_by: Option<String>,
    },
    /// What is to be restored from holds no installation.
    #[error("{path} holds no installation: there is nothing to restore a cluster from")]
    NothingToRestore {
        /// The file or folder.
        path: PathBuf,
    },
    /// The clock is behind, and revisions of a restored cluster depend on it.
    #[error(
        "this machine's clock says {now}, but the cluster has seen {seen} already; correct the clock: what is issued after \
         a restore is told from what was issued before by it"
    )]
    ClockBehind {
        /// What it says.
        now: Timestamp,
        /// What was seen of clocks.
        seen: Timestamp,
    },
    /// The cluster can't be held at this format.
    #[error("there is no format {wanted} of the replicated state; take one from {oldest} to {newest}")]
    UnknownFormat {
        /// What was asked for.
        wanted: u8,
        /// The first format.
        oldest: u8,
        /// The latest.
        newest: u8,
    },
    /// Something in the log or in a snapshot is not what was written.
    #[error("the replicated log in {path} is damaged: {detail}. {}", way_out(whose.as_ref()))]
    CorruptLog {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
        /// The node whose it is, and its folder, where that is known.
        whose: Option<(u64, PathBuf)>,
    },
    /// A secret of the replicated state can't be opened.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// There are no keys yet.
    #[error("the installation has no signing keys yet; it must be bootstrapped first")]
    NotBootstrapped,
    /// There was no leader in time.
    #[error(
        "the cluster had no leader after {waited:?}; check that a majority of its members is running and reachable"
    )]
    NoLeader {
        /// How long the node waited.
        waited: Duration,
    },
    /// The consensus stopped.
    #[error("the replicated log has stopped: {0}")]
    Stopped(String),
    /// The replicated state refused a change.
    #[error("the replicated state refused the change: {0}")]
    Refused(String),
    /// A certificate or a key can't be used.
    #[error("{path}: {reason}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate can't be made.
    #[error("the certificate cannot be made: {0}")]
    Certificate(String),
    /// The name of a cluster can't be part of a node's name.
    #[error("{name:?} cannot be a cluster's name; take one of letters, digits, hyphens and dots, such as agentidp")]
    ClusterName {
        /// The name.
        name: String,
    },
    /// Connections without TLS were asked for on an address that others can reach.
    #[error(
        "{address} is not a loopback address, and nodes talk to each other without TLS only there; give the node a \
         certificate, or let it listen on 127.0.0.1"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// A change was not taken.
    #[error(transparent)]
    Replication(#[from] ReplicationError),
}

/// A node must not go on with less than it had: it may have forgotten for whom it voted and what it had confirmed.
fn way_out(whose: Option<&(u64, PathBuf)>) -> String {
    let (node, folder) = whose.map_or_else(
        || ("NODE_ID".to_owned(), "the folder".to_owned()),
        |(node_id, folder)| (node_id.to_string(), folder.display().to_string()),
    );
    format!(
        "If other members run: agentidp cluster remove {node} --operator ONE_OF_THEM; then remove {folder}, and let the node join \
         again (agentidp cluster invite there, agentidp cluster join here): it gets everything from them. If it was the only \
         one, or a majority is lost: agentidp cluster restore --from SNAPSHOT. A development node that may lose its keys and \
         revocations: remove the data directory to start anew"
    )
}

fn wanted(written_by: Option<&str>) -> String {
    written_by.map_or_else(
        || "the version that wrote it".to_owned(),
        |version| format!("agentidp {version}, which wrote it, or a later version"),
    )
}

impl ClusterError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }

    pub(crate) fn newer(path: impl Into<PathBuf>, found: u8, known: u8) -> Self {
        Self::NewerFormat {
            path: path.into(),
            found: u32::from(found),
            known: u32::from(known),
            written_by: None,
        }
    }

    pub(crate) fn tls(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::Tls {
            path: path.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn corrupt(path: impl Into<PathBuf>, detail: impl Into<String>) -> Self {
        Self::CorruptLog {
            path: path.into(),
            detail: detail.into(),
            whose: None,
        }
    }
}
