//! TLS between nodes: version 1.3 only, certificates on both sides, replaced while the node runs.
//!
//! Sessions are never resumed: a resumed one would not look at certificates again, and connections last long.

mod files;
mod material;
mod reasons;

use std::sync::Arc;

use domain::ports::Clock;
use rustls::client::verify_server_name;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::greeting::linger;
use crate::certs::NodeName;
use crate::error::ClusterError;
use crate::files::warn_if_exposed;

pub use files::TlsFiles;
pub(super) use material::Material;
use reasons::WRONG_PROTOCOL;
pub(super) use reasons::io_reason;

/// What both sides must speak (RFC 7301).
const ALPN: &[u8] = b"agentidp-cluster/1";

/// The certificates of a node. New ones are put in force by [`Tls::reload`].
pub struct Tls {
    files: TlsFiles,
    own_name: NodeName,
    cluster_name: String,
    clock: Arc<dyn Clock>,
    current: watch::Sender<Arc<Material>>,
}

impl Tls {
    /// Reads a node's files, and refuses those that the other nodes would refuse. `clock` tells whether certificates
    /// are valid; about `cluster_name` see [`NodeName`]. Blocks while it reads.
    pub fn open(
        files: TlsFiles,
        node_id: u64,
        cluster_name: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClusterError> {
        let own_name = NodeName::new(node_id, cluster_name)?;
        let material = Material::load(&files, &own_name, &clock)?;
        warn_if_exposed(&files.key);
        Ok(Self {
            files,
            own_name,
            cluster_name: cluster_name.to_owned(),
            clock,
            current: watch::Sender::new(Arc::new(material)),
        })
    }

    /// Reads the files again. If they hold something new that can be used, new connections use it and existing ones
    /// are made anew; else nothing changes. Tells whether there was something new. Blocks while it reads.
    pub fn reload(&self) -> Result<bool, ClusterError> {
        let material = Material::load(&self.files, &self.own_name, &self.clock)?;
        if material.is_same(&self.current.borrow()) {
            return Ok(false);
        }
        self.current.send_replace(Arc::new(material));
        Ok(true)
    }

    /// The certificate that other nodes are shown now, followed by those between it and its authority.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current.borrow().chain()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Material>> {
        self.current.subscribe()
    }

    pub(super) async fn dial(
        &self,
        config: Arc<ClientConfig>,
        stream: TcpStream,
        node_id: u64,
    ) -> Result<client::TlsStream<TcpStream>, String> {
        let name = NodeName::new(node_id, &self.cluster_name).map_err(|error| error.to_string())?;
        let connecting = TlsConnector::from(config).connect(name.to_server_name(), stream);
        match connecting.into_fallible().await {
            Ok(stream) => require_alpn(stream.get_ref().1.alpn_protocol()).map(|()| stream),
            Err((error, stream)) => Err(failed(&error, stream).await),
        }
    }

    pub(super) async fn accept(
        config: Arc<ServerConfig>,
        stream: TcpStream,
    ) -> Result<server::TlsStream<TcpStream>, String> {
        match TlsAcceptor::from(config).accept(stream).into_fallible().await {
            Ok(stream) => require_alpn(stream.get_ref().1.alpn_protocol()).map(|()| stream),
            Err((error, stream)) => Err(failed(&error, stream).await),
        }
    }

    pub(super) fn check_claim(&self, certificate: &CertificateDer<'_>, node_id: u64) -> Result<(), String> {
        let name = NodeName::new(node_id, &self.cluster_name).map_err(|error| error.to_string())?;
        let parsed = ParsedCertificate::try_from(certificate).map_err(|error| error.to_string())?;
        verify_server_name(&parsed, &name.to_server_name())
            .map_err(|_| format!("it says that it is node {node_id}, but its certificate is not for {name}"))
    }
}

/// Waits until the other side has taken the alert that tells it why.
async fn failed(error: &std::io::Error, mut stream: TcpStream) -> String {
    linger(&mut stream).await;
    io_reason(error)
}

fn require_alpn(agreed: Option<&[u8]>) -> Result<(), String> {
    if agreed == Some(ALPN) {
        return Ok(());
    }
    Err(WRONG_PROTOCOL.to_owned())
}
