//! The way to the other members: a [`Transport`] port that carries bytes, and on top of it the consensus library's
//! calls. What travels is decided here; how it travels (TCP with TLS, a simulator's network) is decided behind the port.

mod address;
mod appending;
mod link;
mod message;
mod peers;
mod receiving;
mod tcp;
mod transport;

pub use address::check_address;
pub(crate) use link::Links;
pub use message::request_name;
pub(crate) use message::{PeerAnswer, PeerRequest};
pub(crate) use peers::{AskError, Peers};
pub(crate) use receiving::{AboutItself, Receiving};
pub use tcp::{Answering, Endpoint, LocalNode, PeerServer, Security, TcpLimits, TcpTransport, Tls, TlsFiles};
pub(crate) use tcp::{Says, Standing};
pub use transport::{NoPeers, Peer, Transport, TransportError};

use crate::batching::BATCH_BYTES_MAX;
use crate::codec::VALUE_BYTES_MAX;

/// How many log entries travel to a follower at once; with the greatest size of an entry this stays below the greatest
/// size of a message.
pub(crate) const ENTRIES_PER_MESSAGE: u64 = 32;
const _: () = assert!(ENTRIES_PER_MESSAGE as usize * BATCH_BYTES_MAX < VALUE_BYTES_MAX);
