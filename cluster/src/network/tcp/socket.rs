//! TCP connections: how they are made and set up.

use std::net::SocketAddr;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use super::security::Security;

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}
pub(super) type BoxedStream = Box<dyn Stream>;

/// Connects to the first address of `address` that takes it.
pub(super) async fn connect(address: &str, security: &Security) -> Result<TcpStream, String> {
    let found = lookup_host(address)
        .await
        .map_err(|error| format!("{address:?} is no address that can be looked up: {error}"))?;
    let mut failure = format!("{address:?} leads to no address");
    for address in found {
        security.permit(address).map_err(|error| error.to_string())?;
        match TcpStream::connect(address).await {
            Ok(stream) => {
                set_up(&stream);
                return Ok(stream);
            }
            Err(error) => failure = format!("{address}: {error}"),
        }
    }
    Err(failure)
}

/// Small messages leave at once, and the operating system looks after a connection on which nothing happens.
pub(super) fn set_up(stream: &TcpStream) {
    let set = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_keepalive(true));
    if let Err(error) = set {
        tracing::debug!(%error, "a connection could not be set up as it should");
    }
}

/// Whether an address is one that other machines can't reach.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
