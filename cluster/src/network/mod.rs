//! The way to the other members: a [`Transport`] port that carries bytes, and on top of it the consensus library's
//! calls. What travels is decided here; how it travels (TCP with TLS, a simulator's network) is decided behind the port.

mod link;
mod transport;

pub(crate) use link::Links;
pub use transport::{NoPeers, Peer, Transport, TransportError};
