//! The sockets of a node. They are taken apart from serving, so that `dev` can take them before it makes anything: a port that
//! is in use would otherwise swallow the secret that is shown once.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::error::StartError;
use crate::config::ServerConfig;

/// A node's sockets, bound; nobody is answered yet.
pub struct Listeners {
    /// Where agents are served.
    pub agents: TcpListener,
    /// The address of `agents`.
    pub address: SocketAddr,
    /// Where operators are served.
    pub operators: TcpListener,
    /// The address of `operators`.
    pub operator_address: SocketAddr,
}

impl Listeners {
    /// Takes both, or neither; tells of both if neither is to be had.
    pub async fn bind(config: &ServerConfig) -> Result<Self, StartError> {
        let agents = bind(config.listen, "--listen (server.listen)").await;
        let operators = bind(config.operator_listen, "--operator-listen (server.operator_listen)").await;
        match (agents, operators) {
            (Ok((agents, address)), Ok((operators, operator_address))) => Ok(Self {
                agents,
                address,
                operators,
                operator_address,
            }),
            (Err(first), Err(second)) => Err(StartError::Both(Box::new(first), Box::new(second))),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }
}

async fn bind(address: SocketAddr, option: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |source| StartError::Listen {
        address,
        option,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}
