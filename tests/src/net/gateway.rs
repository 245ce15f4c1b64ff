//! What lets nodes in their namespaces reach a server that listens on this machine's loopback only, such as PostgreSQL.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::failure::Failure;

/// A port on the clients' network that leads to a server. Closed when dropped.
pub struct Gateway {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Gateway {
    /// Opens a port at `here` for the server at `there`, which is `host:port`.
    pub async fn open(here: Ipv4Addr, there: String) -> Result<Self, Failure> {
        let listener = TcpListener::bind((here, 0)).await?;
        Ok(Self {
            address: listener.local_addr()?,
            accepting: tokio::spawn(accept(listener, there)),
        })
    }

    /// Where nodes find the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, there: String) {
    while let Ok((mut near, _)) = listener.accept().await {
        let there = there.clone();
        tokio::spawn(async move {
            if let Ok(mut far) = TcpStream::connect(there).await {
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
