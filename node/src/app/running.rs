//! A node that serves: its core, its listeners, and how it stops.

use std::net::SocketAddr;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::certificate_watch::CertificateWatch;
use super::core::{Core, Reached};
use super::error::StartError;
use super::foundation::Foundation;
use super::listener_tls::ListenerTls;
use super::listeners::Listeners;
use crate::config::ServerConfig;
use crate::http::request_memory::RequestMemory;
use crate::http::server::{Server, ServerLimits};

/// A node that serves.
pub struct Running {
    /// Who it says it is.
    pub issuer: String,
    /// Where agents are served.
    pub address: SocketAddr,
    /// Where operators are served.
    pub operator_address: SocketAddr,
    core: Core,
    stop: watch::Sender<bool>,
    tls: ListenerTls,
    servers: Vec<JoinHandle<()>>,
    watches: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts the actors over a foundation that holds an installation, and serves.
    pub async fn start(foundation: Foundation, listeners: Listeners, tls: ListenerTls) -> Result<Self, StartError> {
        let server = foundation.config.server.clone();
        let Listeners {
            agents,
            address,
            operators,
            operator_address,
        } = listeners;
        let issuer = server
            .public_url
            .clone()
            .unwrap_or_else(|| server.default_issuer(address));
        let shown = |watch: &Option<CertificateWatch>| watch.as_ref().map(CertificateWatch::certificates);
        let (public_tls, operator_tls) = (shown(&tls.agents), shown(&tls.operators));
        let reached = Reached {
            issuer: issuer.clone(),
            agents: public_tls.clone(),
            operators: operator_tls.clone(),
        };
        let core = Core::start(foundation, reached).await?;
        let (stop, stopped) = watch::channel(false);
        let limits = server_limits(&server);
        let (public, operator) = (core.public.clone(), core.operators.clone());
        let servers = vec![
            tokio::spawn(Server::new(agents, public, public_tls, limits.clone()).run(stopped.clone())),
            tokio::spawn(Server::new(operators, operator, operator_tls, limits).run(stopped)),
        ];
        let watches = tls.watches().cloned().map(|watch| tokio::spawn(watch.follow()));
        let watches = watches.collect();
        tracing::info!(%address, %operator_address, issuer, "serving");
        Ok(Self {
            issuer,
            address,
            operator_address,
            core,
            stop,
            tls,
            servers,
            watches,
        })
    }

    /// Where operators call it.
    pub fn operator_url(&self) -> String {
        let scheme = if self.tls.operators.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.operator_address)
    }

    /// Reads the certificates' files again.
    pub fn reload_certificate(&self) {
        if let Some(peers) = &self.core.foundation.peers {
            peers.reload_certificates();
        }
        self.tls.watches().for_each(CertificateWatch::look_now);
    }

    /// Waits until this node can't go on, and answers why. Whoever watches over its process should start it again.
    pub async fn failed(&self) -> StartError {
        self.core.foundation.cluster.handle().failed().await.into()
    }

    /// Stops: not ready any more, led by another node, requests in flight finished, actors flushed, store and log closed.
    pub async fn stop(self) -> Result<(), StartError> {
        self.core.set_draining();
        let _ = self.stop.send(true);
        // Not after the drain, which may take long: changes go on elsewhere meanwhile.
        tokio::join!(self.core.hand_over(), join_all(self.servers));
        self.watches.iter().for_each(JoinHandle::abort);
        self.core.stop().await
    }
}

fn server_limits(server: &ServerConfig) -> ServerLimits {
    ServerLimits {
        header_timeout: server.header_timeout,
        connections_max: server.connections_max,
        connections_per_address_max: server.connections_per_address_max,
        trusted_proxies: server.trusted_proxies.clone(),
        memory: RequestMemory::of_node(),
        drain_timeout: server.drain_timeout,
    }
}
