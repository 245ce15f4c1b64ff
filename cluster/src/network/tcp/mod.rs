//! The network between nodes: [`TcpTransport`] dials, [`PeerServer`] listens.
//!
//! # The wire, in one page
//!
//! ```text
//! dialing node                                   listening node
//!   TCP ────────────────────────────────────────▶ (TCP_NODELAY, keep-alive)
//!   TLS 1.3, ALPN agentidp-cluster/1 ◀──────────▶ both show a certificate of the cluster's authority
//!     checks: it is node-<wanted id>.<cluster>
//!   Hello  ─────────────────────────────────────▶ checks: certificate is node-<id>.<cluster>, cluster, version
//!     checks: id, cluster, version ◀───────────── Hello   (or Refused: why)
//!   Agreed (or Refused: why) ───────────────────▶
//!   Request 1, Request 2, Ping ─────────────────▶
//!   ◀──────────────── Answer 2, Pong, Answer 1, Unwilling 3
//!   ◀──────────────────────────────────── Goodbye
//! ```
//!
//! **Layers.** Everything after the TLS handshake is a sequence of *bodies*, each after its length (`u32`, big-endian;
//! see `reading`). A length above the limit ends the connection before memory is taken: 1 KiB before the two nodes know
//! each other, then the largest value of the codec and a little.
//!
//! **Hello** (see `hello`). The only layout that no version may change: `AIDPpeer`, 1, lowest and highest wire version
//! spoken (`u16` each), node id (`u64`), cluster id (a flag and 16 bytes; absent while a node joins), software version
//! (a length and UTF-8), and how the node stands (see `standing`; a node that says nothing of it knows the first format and
//! was never restored). What follows is left to later versions and skipped. Instead of a hello each side may send a
//! refusal: `AIDPpeer`, 2, and the reason in UTF-8; then it closes. `AIDPpeer`, 3 is the dialer's agreement. Both sides log a refusal, once for each change of
//! the reason. Both speak the highest version that both know.
//!
//! **Conversation** (see `frame`). A kind (`u8`), a number (`u64`), and for some kinds a payload: `Request` 1, `Answer`
//! 2, `Unwilling` 3 (the request was not carried out, and why), `Ping` 4, `Pong` 5, `Goodbye` 6. Requests go from the
//! dialing to the listening node and carry a number that their answer repeats; answers come in any order. A node that
//! asks *and* is asked therefore has two connections with each other node. What waits to be written leaves in one write.
//!
//! **Ends.** A dialer that hears nothing pings; who hears nothing for longer closes. After `Goodbye` no new request
//! should be sent; those that were sent are answered. It is said when the listener stops, when certificates were
//! replaced and when a connection is old, so that no certificate is trusted for long after it ended. The dialer makes a
//! new connection and lets the old one run dry.
//!
//! **Limits** are in [`TcpLimits`], all of them. What they stop is refused at once, never queued without bound.
//!
//! **Ownership.** A [`TcpTransport`] owns a task for each peer, that task the connections to it; a [`PeerServer`] owns
//! the accepting task, that task the connections, each of them its requests in hand. Dropping an owner ends all below.

mod backoff;
mod budget;
mod calls;
mod endpoint;
mod frame;
mod greeting;
mod hello;
mod inbound;
mod limits;
mod local_node;
mod outbound;
mod reading;
mod refusals;
mod retirement;
mod security;
mod server;
mod session;
mod socket;
mod standing;
mod stopping;
mod tls;
mod transport;
mod writing;

#[cfg(test)]
mod tests;

pub(crate) use local_node::Says;
pub(crate) use standing::Standing;

pub use endpoint::Endpoint;
pub use limits::TcpLimits;
pub use local_node::LocalNode;
pub use security::Security;
pub use server::{Answering, PeerServer};
pub use tls::{Tls, TlsFiles};
pub use transport::TcpTransport;
