//! A raw TCP connection: for requests that no HTTP library would send.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::eventually::DEADLINE;

/// A connection to a node.
pub struct Wire {
    stream: TcpStream,
}

impl Wire {
    /// Connects.
    pub async fn to(address: SocketAddr) -> Self {
        let stream = timeout(DEADLINE, TcpStream::connect(address))
            .await
            .expect("a connection in time");
        Self {
            stream: stream.expect("the node accepts connections"),
        }
    }

    /// Connects from an address of this machine.
    pub async fn between(source: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(SocketAddr::new(source, 0))
            .expect("an address of this machine");
        let stream = timeout(DEADLINE, socket.connect(address))
            .await
            .expect("a connection in time");
        Self {
            stream: stream.expect("the node accepts connections"),
        }
    }

    /// Sends bytes again and again and reads nothing; false if the connection is still open after that time.
    pub async fn is_closed_while_sending(&mut self, bytes: &[u8], deadline: Duration) -> bool {
        let send = async { while self.stream.write_all(bytes).await.is_ok() {} };
        timeout(deadline, send).await.is_ok()
    }

    /// Exactly so many bytes; `None` if the connection ends before.
    pub async fn read_exact(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await.ok().map(|_| bytes)
    }

    /// Sends bytes; one that closed the connection meanwhile is not an error here.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Says that nothing more will be sent.
    pub async fn finish_sending(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Everything that comes until the node closes the connection; panics if it does not.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        self.read_to_end_within(DEADLINE)
            .await
            .expect("the node closes the connection in time")
    }

    /// As [`Wire::read_to_end`]; `None` if the connection is still open after that time.
    pub async fn read_to_end_within(&mut self, deadline: Duration) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        // A reset is as good an end as any.
        timeout(deadline, self.stream.read_to_end(&mut bytes)).await.ok()?.ok();
        Some(bytes)
    }

    /// One response: its status and everything that was read of it, its body included if its length was announced.
    pub async fn response(&mut self) -> Option<(u16, String)> {
        timeout(DEADLINE, self.read_response())
            .await
            .expect("a response in time")
    }

    async fn read_response(&mut self) -> Option<(u16, String)> {
        let mut bytes = Vec::new();
        let mut chunk = [0u8; 4096];
        loop {
            if let Some(response) = complete(&bytes) {
                return Some(response);
            }
            match self.stream.read(&mut chunk).await {
                Ok(0) | Err(_) => {
                    return status(&String::from_utf8_lossy(&bytes))
                        .map(|code| (code, String::from_utf8_lossy(&bytes).into_owned()));
                }
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            }
        }
    }
}

/// The response that `bytes` hold, once they hold all of it.
fn complete(bytes: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    (body.len() >= length.unwrap_or(0)).then(|| status(&text).map(|code| (code, text.clone())))?
}

/// The status in the first line of a response.
pub fn status(text: &str) -> Option<u16> {
    text.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

/// Sends bytes over a connection of their own, and answers everything that comes back until the node closes it.
pub async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut wire = Wire::to(address).await;
    wire.send(bytes).await;
    wire.finish_sending().await;
    String::from_utf8_lossy(&wire.read_to_end().await).into_owned()
}
