//! HTTP/2 frame by frame (RFC 9113 §4): for connections that no HTTP library would keep.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::timeout;

use crate::eventually::DEADLINE;
use crate::wire::Wire;

/// The types of frames that tests look at.
pub const DATA: u8 = 0;
/// The beginning of a request or an answer.
pub const HEADERS: u8 = 1;
/// What the sender puts up with.
pub const SETTINGS: u8 = 4;
const PING: u8 = 6;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame.
#[derive(Debug)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// The stream that it belongs to; 0 for the connection.
    pub stream: u32,
    /// The rest.
    pub payload: Vec<u8>,
}

impl Frame {
    fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a frame is short");
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

/// A connection that speaks HTTP/2 without TLS.
pub struct Http2 {
    wire: Wire,
}

impl Http2 {
    /// Connects, and opens with the preface and settings of which none is set.
    pub async fn to(address: SocketAddr) -> Self {
        Self::over(Wire::to(address).await).await
    }

    /// The same from an address of this machine.
    pub async fn between(source: IpAddr, address: SocketAddr) -> Self {
        Self::over(Wire::between(source, address).await).await
    }

    async fn over(wire: Wire) -> Self {
        let mut http2 = Self { wire };
        http2.wire.send(PREFACE).await;
        http2.send(SETTINGS, 0, 0, Vec::new()).await;
        http2
    }

    /// Begins a request; `is_whole` if no body follows.
    pub async fn request(&mut self, stream: u32, headers: &[(&str, &str)], is_whole: bool) {
        let flags = END_HEADERS | if is_whole { END_STREAM } else { 0 };
        let block = headers.iter().flat_map(|(name, value)| literal(name, value)).collect();
        self.send(HEADERS, flags, stream, block).await;
    }

    /// Sends a part of a request's body, or all that is left of it.
    pub async fn body(&mut self, stream: u32, bytes: &[u8], is_last: bool) {
        self.send(DATA, u8::from(is_last), stream, bytes.to_vec()).await;
    }

    /// The next frame, whatever has to be acknowledged being acknowledged; `None` at the end of the connection.
    pub async fn frame(&mut self) -> Option<Frame> {
        let head = self.wire.read_exact(9).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let frame = Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload: self.wire.read_exact(length as usize).await?,
        };
        if [SETTINGS, PING].contains(&frame.kind) && frame.flags & ACK == 0 {
            let echo = if frame.kind == PING {
                frame.payload.clone()
            } else {
                Vec::new()
            };
            self.send(frame.kind, ACK, 0, echo).await;
        }
        Some(frame)
    }

    /// The next frame of a type; panics if the connection ends before.
    pub async fn next(&mut self, kind: u8) -> Frame {
        let found = async {
            loop {
                let frame = self.frame().await.expect("the connection is open");
                if frame.kind == kind {
                    return frame;
                }
            }
        };
        timeout(DEADLINE, found).await.expect("such a frame in time")
    }

    /// Acknowledges whatever comes until the node closes the connection; false if it is still open after that time.
    pub async fn is_closed_within(&mut self, deadline: Duration) -> bool {
        let closed = async { while self.frame().await.is_some() {} };
        timeout(deadline, closed).await.is_ok()
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: Vec<u8>) {
        let frame = Frame {
            kind,
            flags,
            stream,
            payload,
        };
        self.wire.send(frame.bytes()).await;
    }
}

/// A header as a literal that no table remembers (RFC 7541 §6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 127);
        bytes.push(length.expect("the texts of tests are short"));
        bytes.extend(text.as_bytes());
    }
    bytes
}
