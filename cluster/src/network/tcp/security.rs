//! How nodes make sure who they are talking to.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::socket::{BoxedStream, is_loopback};
use super::tls::{Material, Tls};
use crate::error::ClusterError;

/// How connections are secured.
#[derive(Clone)]
pub enum Security {
    /// By certificates of the cluster's authority, on both sides.
    Tls(Arc<Tls>),
    /// Not at all: for development, when all nodes run on one machine. Any process of the machine can be a node.
    /// Addresses that other machines could reach are refused.
    LoopbackOnly,
}

/// A connection whose TLS handshake is done, if there is one.
pub(super) struct Secured {
    pub(super) stream: BoxedStream,
    /// What the other side showed.
    pub(super) certificate: Option<CertificateDer<'static>>,
    pub(super) replacement: Replacement,
}

/// Tells when certificates other than those of a connection are in force.
pub(super) struct Replacement(Option<watch::Receiver<Arc<Material>>>);

impl Replacement {
    /// Returns when they are.
    pub(super) async fn wait(&mut self) {
        let is_replaced = match &mut self.0 {
            Some(material) => material.changed().await.is_ok(),
            None => false,
        };
        if !is_replaced {
            pending::<()>().await;
        }
    }
}

impl Security {
    /// Refuses an address that must not be listened on or dialed.
    pub(super) fn permit(&self, address: SocketAddr) -> Result<(), ClusterError> {
        match self {
            Security::LoopbackOnly if !is_loopback(address) => Err(ClusterError::NotLoopback { address }),
            _ => Ok(()),
        }
    }

    /// The dialing side's handshake with the node of this number.
    pub(super) async fn dial(&self, stream: TcpStream, node_id: u64) -> Result<Secured, String> {
        match self {
            Security::Tls(tls) => {
                let mut material = tls.subscribe();
                let config = material.borrow_and_update().client.clone();
                let secured = tls.dial(config, stream, node_id).await?;
                Ok(over_tls(secured.into(), material))
            }
            Security::LoopbackOnly => Ok(plain(stream)),
        }
    }

    /// The listening side's handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> Result<Secured, String> {
        match self {
            Security::Tls(tls) => {
                let mut material = tls.subscribe();
                let config = material.borrow_and_update().server.clone();
                let secured = Tls::accept(config, stream).await?;
                Ok(over_tls(secured.into(), material))
            }
            Security::LoopbackOnly => Ok(plain(stream)),
        }
    }

    /// Refuses a node that claims a number which its certificate does not name.
    pub(super) fn check_claim(&self, certificate: Option<&CertificateDer<'_>>, node_id: u64) -> Result<(), String> {
        match (self, certificate) {
            (Security::Tls(tls), Some(certificate)) => tls.check_claim(certificate, node_id),
            (Security::Tls(_), None) => Err("it showed no certificate".to_owned()),
            (Security::LoopbackOnly, _) => Ok(()),
        }
    }
}

fn plain(stream: TcpStream) -> Secured {
    Secured {
        stream: Box::new(stream),
        certificate: None,
        replacement: Replacement(None),
    }
}

fn over_tls(stream: tokio_rustls::TlsStream<TcpStream>, material: watch::Receiver<Arc<Material>>) -> Secured {
    let shown = stream.get_ref().1.peer_certificates();
    Secured {
        certificate: shown.and_then(|chain| chain.first().cloned()),
        stream: Box::new(stream),
        replacement: Replacement(Some(material)),
    }
}
