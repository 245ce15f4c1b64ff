//! Whether a certificate is what a node may show to the others.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs::default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::NodeName;

/// A node's certificate, followed by those between it and the authority.
pub(crate) type Chain = Vec<CertificateDer<'static>>;

/// Checks certificates against the authorities of a cluster.
pub(crate) struct Trusted {
    roots: Arc<RootCertStore>,
    servers: Arc<WebPkiServerVerifier>,
    clients: Arc<dyn ClientCertVerifier>,
}

impl Trusted {
    /// By the certificates of one or more authorities; while one replaces another, both are trusted.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(default_provider()));
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        Ok(Self {
            servers: servers(&roots, &provider).map_err(|error| failed(&error))?,
            clients: WebPkiClientVerifier::builder_with_provider(roots.clone(), provider)
                .build()
                .map_err(|error| failed(&error))?,
            roots,
        })
    }

    /// What the listening side trusts.
    pub(crate) fn clients(&self) -> Arc<dyn ClientCertVerifier> {
        self.clients.clone()
    }

    /// What the dialing side trusts.
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        self.roots.clone()
    }

    /// Checks that a chain is valid now for dialing and for listening, and is the named node's.
    pub(crate) fn verify(&self, chain: &[CertificateDer<'_>], name: &NodeName, now: UnixTime) -> Result<(), String> {
        let (own, others) = chain.split_first().ok_or("there is no certificate in it")?;
        self.servers
            .verify_server_cert(own, others, &name.to_server_name(), &[], now)
            .map_err(|error| error.to_string())?;
        self.clients
            .verify_client_cert(own, others, now)
            .map_err(|error| error.to_string())?;
        Ok(())
    }
}

fn servers(
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, rustls::client::VerifierBuilderError> {
    WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build()
}

/// The certificates of a PEM text; at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Chain, String> {
    let chain: Chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    if chain.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(chain)
}
