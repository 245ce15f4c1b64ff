//! The certificates that are in force, made ready for connections.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

use super::ALPN;
use super::files::TlsFiles;
use crate::certs::{Chain, NodeName, Trusted, certificates};
use crate::error::ClusterError;
use crate::files::read_pem;

/// What handshakes need, on both sides.
pub(in super::super) struct Material {
    pub(in super::super) client: Arc<ClientConfig>,
    pub(in super::super) server: Arc<ServerConfig>,
    authorities: Chain,
    chain: Chain,
}

impl Material {
    /// Reads the files, and checks that they belong together and to this node.
    pub(super) fn load(files: &TlsFiles, own: &NodeName, clock: &Arc<dyn Clock>) -> Result<Self, ClusterError> {
        let read = |path: &Path| read_pem(path).map_err(|error| ClusterError::io(path, error));
        let (ca, cert, key) = (read(&files.ca)?, read(&files.cert)?, read(&files.key)?);
        let in_ca = |reason: String| ClusterError::tls(&files.ca, reason);
        let in_cert = |reason: String| ClusterError::tls(&files.cert, reason);
        let authorities = certificates(&ca).map_err(in_ca)?;
        let trusted = Trusted::from_pem(&ca).map_err(in_ca)?;
        let chain = certificates(&cert).map_err(in_cert)?;
        let time = Arc::new(PortTime(clock.clone()));
        trusted
            .verify(&chain, own, time.now())
            .map_err(|reason| in_cert(format!("the other nodes would not accept it as {own}: {reason}")))?;
        let key_of = || PrivateKeyDer::from_pem_slice(&key).map_err(|error| ClusterError::tls(&files.key, error));
        let mismatched = |error| {
            in_cert(format!(
                "it can't be used with the key in {}: {error}",
                files.key.display()
            ))
        };
        Ok(Self {
            client: client(&trusted, chain.clone(), key_of()?, time.clone()).map_err(mismatched)?,
            server: server(&trusted, chain.clone(), key_of()?, time).map_err(mismatched)?,
            authorities,
            chain,
        })
    }

    pub(super) fn chain(&self) -> Chain {
        self.chain.clone()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.authorities, &self.chain) == (&other.authorities, &other.chain)
    }
}

fn client(
    trusted: &Trusted,
    chain: Chain,
    key: PrivateKeyDer<'static>,
    time: Arc<PortTime>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = ClientConfig::builder_with_details(Arc::new(default_provider()), time)
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(trusted.roots())
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn server(
    trusted: &Trusted,
    chain: Chain,
    key: PrivateKeyDer<'static>,
    time: Arc<PortTime>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_details(Arc::new(default_provider()), time)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(trusted.clients())
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The time by which certificates are judged.
struct PortTime(Arc<dyn Clock>);

impl PortTime {
    fn now(&self) -> UnixTime {
        let seconds = u64::try_from(self.0.now().as_seconds()).unwrap_or(0);
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }
}

impl TimeProvider for PortTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.now())
    }
}

impl fmt::Debug for PortTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PortTime")
    }
}
