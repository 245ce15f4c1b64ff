//! What connections between nodes are held to.

use std::time::Duration;

use crate::codec::VALUE_BYTES_MAX;

/// No message is longer, in bytes: the largest value of the codec, and room for what is round it.
pub(super) const BODY_BYTES_MAX: usize = VALUE_BYTES_MAX + 1024;
/// No message is longer, in bytes, before two nodes know each other.
pub(super) const HELLO_BYTES_MAX: usize = 1024;

const MEBIBYTE: usize = 1024 * 1024;

/// The limits of connections between nodes. The default ones fit a cluster on one continent or several.
#[derive(Clone, Debug)]
pub struct TcpLimits {
    /// How long it may take to connect, to shake hands and to say hello, in all.
    pub handshake_timeout: Duration,
    /// A dialer that has heard nothing for this long pings.
    pub ping_every: Duration,
    /// A dialer that has heard nothing for this long takes the connection for broken.
    pub silence_max: Duration,
    /// A listener that has heard nothing for this long, not even a ping, closes the connection.
    pub idle_max: Duration,
    /// How long one write may take until the other side has taken it.
    pub write_timeout: Duration,
    /// How long requests in hand may go on after a goodbye.
    pub drain_max: Duration,
    /// The wait before the second attempt to connect; it doubles with each further one.
    pub backoff_min: Duration,
    /// The longest wait between two attempts to connect.
    pub backoff_max: Duration,
    /// A connection that nobody called over for this long is dropped.
    pub unused_max: Duration,
    /// A connection is made anew after this long, and certificates are looked at again.
    pub connection_age_max: Duration,
    /// The most calls in flight to one peer.
    pub calls_max: usize,
    /// The most bytes of requests in flight to one peer.
    pub call_bytes_max: usize,
    /// The most requests in hand of one inbound connection.
    pub requests_max: usize,
    /// The most bytes of requests in hand of one inbound connection.
    pub request_bytes_max: usize,
    /// The most inbound connections that have said hello.
    pub connections_max: usize,
    /// The most inbound connections that have not said hello yet, all addresses together. One more costs the address that
    /// has most of them its oldest.
    pub handshakes_max: usize,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(5),
            ping_every: Duration::from_secs(1),
            silence_max: Duration::from_secs(5),
            idle_max: Duration::from_secs(15),
            write_timeout: Duration::from_secs(10),
            drain_max: Duration::from_secs(5),
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
            unused_max: Duration::from_secs(600),
            connection_age_max: Duration::from_secs(3_600),
            calls_max: 4_096,
            call_bytes_max: 64 * MEBIBYTE,
            requests_max: 4_096,
            request_bytes_max: 64 * MEBIBYTE,
            connections_max: 64,
            handshakes_max: 64,
        }
    }
}
