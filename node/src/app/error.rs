//! Why a node does not start. Every message says what to do.

use std::path::PathBuf;

use actors::ActorError;
use cluster::ClusterError;
use domain::ports::{KeyStepError, StoreError};

use crate::config::ConfigError;
use crate::http::certificates::TlsError;
use crate::http::keys::RingError;
use crate::policy::PolicyError;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory can't be used.
    #[error(
        "the data directory {path} can't be used: {source}; give another with --data-dir or cluster.data_dir, or mend its permissions"
    )]
    DataDirectory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no master key, or it can't be read.
    #[error("the master key {path} can't be used: {reason}")]
    MasterKey {
        /// Which file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The operators' token can't be read or made.
    #[error("the operators' token {path} can't be used: {source}")]
    OperatorToken {
        /// Which file.
        path: PathBuf,
        /// Why, and what to do.
        source: std::io::Error,
    },
    /// The store does not open.
    #[error("the store can't be used: {0}")]
    Store(#[from] StoreError),
    /// The replicated state does not open.
    #[error("the replicated state can't be used: {0}")]
    Cluster(#[from] ClusterError),
    /// A key could not be made or used.
    #[error("a signing key can't be used: {0}")]
    Key(#[from] KeyStepError),
    /// The signing keys can't be put in force.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The actors do not start.
    #[error("the actors can't be started: {0}")]
    Actors(#[from] ActorError),
    /// The access rules are wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The certificate is wrong.
    #[error("TLS can't be used: {0}")]
    Tls(#[from] TlsError),
    /// A listener can't be bound.
    #[error("can't listen on {address}: {source}; is another process using the port? Give another with {option}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// The flag and the key that give another.
        option: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Two things are wrong that do not depend on each other.
    #[error("{0}\n{1}")]
    Both(Box<StartError>, Box<StartError>),
    /// Nobody has made an installation yet.
    #[error(
        "the data directory holds no installation; give the right one with --data-dir or cluster.data_dir, or make one with: agentidp init --config FILE, or: agentidp dev"
    )]
    NotInitialised,
    /// The store knows an installation whose keys are elsewhere.
    #[error(
        "the store already holds an installation, but this data directory does not hold its keys: start with the data \
         directory that belongs to it, or use an empty database; a node of its own joins: agentidp cluster join"
    )]
    ForeignStore,
    /// The replicated state knows an installation whose rows are elsewhere.
    #[error(
        "the data directory {path} holds an installation's keys, but the store holds none of its rows: restore the store from a \
         backup or name the right one, or remove the data directory to start anew"
    )]
    LostStore {
        /// Which.
        path: PathBuf,
    },
    /// The metrics recorder could not be built.
    #[error("metrics can't be recorded: {0}")]
    Metrics(String),
    /// The address of Redis can't be one.
    #[error("Redis can't be used: {0}; mend redis.url, or leave it out")]
    Redis(String),
}
