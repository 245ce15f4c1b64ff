//! One keep-alive connection that sends prepared bytes and reads just enough of the answers. A full HTTP client would
//! cost more than the node does; this one knows the answers that the node gives: HTTP/1.1 with a `Content-Length`.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// An open connection.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer.
pub struct Answer<'a> {
    /// Its status code.
    pub status: u16,
    /// Its body.
    pub body: &'a [u8],
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let received = Vec::with_capacity(16 * 1024);
        Ok(Self { stream, received })
    }

    /// Sends a request and reads its answer.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head_len = loop {
            self.receive().await?;
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let status = status(&self.received)?;
        let answer_len = head_len + content_length(&self.received[..head_len], status)?;
        while self.received.len() < answer_len {
            self.receive().await?;
        }
        let body = &self.received[head_len..answer_len];
        Ok(Answer { status, body })
    }

    async fn receive(&mut self) -> Result<()> {
        let received = self.stream.read_buf(&mut self.received).await?;
        if received == 0 || self.received.len() > ANSWER_BYTES_MAX {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the answer ended early or never"));
        }
        Ok(())
    }
}

/// Where `wanted`, which is not empty, begins.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn status(answer: &[u8]) -> Result<u16> {
    let digits = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Error::new(ErrorKind::InvalidData, "this is not HTTP/1.1"))
}

fn content_length(head: &[u8], status: u16) -> Result<usize> {
    const NO_CONTENT: u16 = 204;
    let header = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let value = std::str::from_utf8(&line[colon + 1..]).ok()?;
        line[..colon]
            .eq_ignore_ascii_case(b"content-length")
            .then(|| value.trim().parse().ok())?
    };
    match head.split(|byte| *byte == b'\n').find_map(header) {
        Some(length) => Ok(length),
        None if status == NO_CONTENT => Ok(0),
        None => Err(Error::new(ErrorKind::InvalidData, "the answer has no Content-Length")),
    }
}
