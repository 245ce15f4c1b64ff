//! TLS for the listeners: rustls over the same library that signs tokens.

use std::sync::Arc;

use cluster::OperatorTrust;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig};

/// Shows a certificate, and speaks HTTP/2 and HTTP/1.1 (RFC 7301). Where operators may show one too, their sessions are
/// never resumed: a resumed one would not look at certificates again.
pub fn server_config(shown: CertifiedKey, operators: Option<OperatorTrust>) -> Result<Arc<ServerConfig>, Error> {
    let builder =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
    let resolver = Arc::new(SingleCertAndKey::from(shown));
    let mut config = match operators {
        None => builder.with_no_client_auth().with_cert_resolver(resolver),
        Some(trust) => {
            let builder = builder.with_client_cert_verifier(Arc::new(trust));
            let mut config = builder.with_cert_resolver(resolver);
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            config
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
