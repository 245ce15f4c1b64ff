//! The replicated state of an installation: revocations, signing keys and cache epochs, agreed upon through Raft.
//!
//! A [`ClusterNode`] keeps its log and snapshots on disk and its state in memory; whoever wants to read or change the
//! state gets a [`ClusterHandle`], which implements the domain's ports `Replication` and `RevocationView`. The handle
//! is the same whether the cluster has one member or many.
//!
//! **Architecture invariant:** no type of the consensus library, of the log store or of the codec is visible outside
//! this crate; `state/` is a pure function of commands and knows neither time, disk nor network; only `codec.rs` knows
//! how values become bytes; only `network/tcp` knows sockets and TLS, and nothing else needs them to run.

mod admission;
mod barrier;
mod batching;
mod belonging;
mod bootstrap;
mod catching_up;
mod certs;
mod codec;
mod command;
mod compacting;
mod config;
mod distance;
mod drain;
mod error;
mod execution;
mod files;
mod finishing;
#[cfg(test)]
mod fixtures;
mod formats;
mod freshness;
mod giving_way;
mod greeted;
mod halt;
mod handle;
mod held;
mod key_command;
mod keys;
mod leader;
mod lock;
mod log_store;
mod measuring;
mod members;
mod meters;
mod network;
mod node;
mod placement;
mod placing;
mod preferring;
mod progress;
mod promoting;
mod publish;
mod raft_runtime;
mod raft_types;
mod raising;
mod reach;
mod report;
mod restoring;
mod roster;
mod sealing;
mod state;
mod state_machine;
mod status;
mod tenure;
mod ticking;

pub use bootstrap::Bootstrap;
pub use catching_up::require_newcomer;
pub use certs::{CertificateAuthority, NodeCertificate, NodeName, OperatorTrust, PrivateKeyPem, Validity};
pub use config::{ClusterConfig, ClusterPorts, Founding};
pub use error::ClusterError;
pub use execution::Execution;
pub use files::{Files, OpenFile, Opening, OsFiles, read_pem, warn_if_exposed};
pub use formats::{FormatReport, Formats};
pub use handle::{ClusterHandle, Joining, SnapshotPiece};
pub use keys::{KeyState, OpenedKey, OpenedRing};
pub use members::MemberEntry;
pub use meters::ClusterMeters;
pub use network::{
    Answering, Endpoint, LocalNode, NoPeers, Peer, PeerServer, Security, TcpLimits, TcpTransport, Tls, TlsFiles,
    Transport, TransportError, check_address, request_name,
};
pub use node::ClusterNode;
pub use raft_runtime::seed_elections;
pub use report::{MemberOverview, MemberReport};
pub use restoring::{IssuedTokens, Remains, Restored, finish_restore};
pub use sealing::{MasterKey, MasterKeyError, MasterKeyId, MasterKeys, SealingError};
pub use status::{ClusterStatus, Role};
