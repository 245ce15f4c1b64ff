//! The way to the other nodes and theirs to this one. A cluster of one has none.

use std::sync::Arc;

use cluster::{
    ClusterHandle, Endpoint, LocalNode, PeerServer, Security, TcpLimits, TcpTransport, Tls, TlsFiles, Transport,
};
use tokio::net::TcpListener;

use super::error::StartError;
use super::machine::Machine;
use crate::config::ClusterSection;

/// A bound socket for other nodes; nobody is answered yet.
pub struct PeerLink {
    endpoint: Endpoint,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
}

/// A node that answers others.
pub struct ServingPeers {
    server: PeerServer,
    tls: Option<Arc<Tls>>,
}

impl PeerLink {
    /// Takes the socket and reads the certificates, if this node is to have company.
    pub async fn bind(config: &ClusterSection, machine: &Machine) -> Result<Option<Self>, StartError> {
        let Some(address) = config.listen else {
            return Ok(None);
        };
        let tls = tls(config, machine)?;
        let bound = TcpListener::bind(address).await;
        let listener = bound.map_err(|source| StartError::Listen {
            address,
            option: "cluster.listen",
            source,
        })?;
        let endpoint = Endpoint {
            local: Arc::new(LocalNode::new(config.node_id, env!("CARGO_PKG_VERSION"))),
            security: tls.clone().map_or(Security::LoopbackOnly, Security::Tls),
            limits: TcpLimits::default(),
        };
        Ok(Some(Self {
            endpoint,
            listener,
            tls,
        }))
    }

    /// The way to the other nodes.
    pub fn transport(&self, machine: &Machine) -> Arc<dyn Transport> {
        Arc::new(TcpTransport::new(self.endpoint.clone(), machine.entropy.clone()))
    }

    /// Answers the other nodes from now on.
    pub fn serve(self, cluster: ClusterHandle) -> Result<ServingPeers, StartError> {
        self.endpoint.local.speak_for(&cluster);
        let server = PeerServer::serve(self.listener, self.endpoint, Arc::new(cluster))?;
        tracing::info!(address = %server.address(), "listening to other nodes");
        Ok(ServingPeers { server, tls: self.tls })
    }
}

/// What the certificates between nodes hold now, if there are to be any.
pub fn tls(config: &ClusterSection, machine: &Machine) -> Result<Option<Arc<Tls>>, StartError> {
    let tls = config.tls.as_ref().map(|files| {
        let files = TlsFiles {
            ca: files.ca.clone(),
            cert: files.cert.clone(),
            key: files.key.clone(),
        };
        Tls::open(files, config.node_id, &config.name, machine.clock.clone()).map(Arc::new)
    });
    Ok(tls.transpose()?)
}

impl ServingPeers {
    /// The certificates between nodes, where there are any.
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }

    /// Reads the certificates again; bad ones change nothing.
    pub fn reload_certificates(&self) {
        match self.tls.as_ref().map(|tls| tls.reload()) {
            Some(Ok(true)) => tracing::info!("the certificates between nodes were replaced"),
            Some(Err(error)) => {
                tracing::error!(%error, "the certificates between nodes can't be used; the former stay")
            }
            Some(Ok(false)) | None => {}
        }
    }

    /// Answers what is in hand and says goodbye.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
