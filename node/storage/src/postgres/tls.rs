//! TLS to the database: rustls, with the certificate always verified.

use std::path::Path;
use std::sync::Arc;

use domain::ports::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::config::Target;

/// A connector that trusts what the target names, or the operating system's anchors.
pub fn connector(target: &Target) -> Result<MakeRustlsConnect, StoreError> {
    let roots = match (&target.root_certificates, target.encrypted) {
        (_, false) => RootCertStore::empty(),
        (Some(path), true) => from_file(path)?,
        (None, true) => from_operating_system()?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Internal(format!("TLS to PostgreSQL can't be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn from_file(path: &Path) -> Result<RootCertStore, StoreError> {
    let refuse = |reason: String| {
        StoreError::Unavailable(format!(
            "sslrootcert {}: {reason}; it must be a PEM file of CA certificates",
            path.display()
        ))
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| refuse(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
    }
    if roots.is_empty() {
        Err(refuse("no certificate in it".to_owned()))
    } else {
        Ok(roots)
    }
}

fn from_operating_system() -> Result<RootCertStore, StoreError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "trust anchors of the operating system");
    if roots.is_empty() {
        let hint = "install the package ca-certificates, or name a PEM file with sslrootcert";
        return Err(StoreError::Unavailable(format!(
            "the operating system has no trust anchors for TLS; {hint}"
        )));
    }
    Ok(roots)
}
