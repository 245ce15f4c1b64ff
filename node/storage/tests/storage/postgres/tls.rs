//! TLS to the server, with its certificate verified.

use std::sync::Arc;

use domain::ports::StoreError;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use storage::PostgresStore;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use super::proxy::Proxy;
use super::server::{Database, fresh};

/// A proxy with a certificate for `name` from an authority of its own, whose certificate lies in `folder/ca.pem`.
async fn proxy(database: &Database, name: &str, folder: &TempDir) -> Proxy {
    let mut authority = CertificateParams::new(Vec::new()).expect("no name");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .expect("a name")
        .signed_by(&key, &authority)
        .expect("a certificate");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("a writable folder");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("they belong together");
    Proxy::start(&database.address(), Some(TlsAcceptor::from(Arc::new(config)))).await
}

async fn connect(database: &Database, url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::connect(database.config(url)).await
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_used() {
    let Some(database) = fresh("a_server_with_a_trusted_certificate_is_used").await else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let proxy = proxy(&database, "localhost", &folder).await;
    for mode in ["require", "verify-full"] {
        let roots = format!("?sslmode={mode}&sslrootcert={}", folder.path().join("ca.pem").display());
        let url = proxy.url("localhost", &database.url(), &roots);
        let stores = database.stores_of(database.config(&url)).await;
        storage::conformance::agents::an_agent_is_found_as_it_was_registered(&stores).await;
        stores.close().await;
    }
}

#[tokio::test]
async fn a_server_with_another_certificate_or_none_is_refused() {
    let Some(database) = fresh("a_server_with_another_certificate_or_none_is_refused").await else {
        return;
    };
    let (folder, other) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let roots = |folder: &TempDir| {
        format!(
            "?sslmode=require&sslrootcert={}",
            folder.path().join("ca.pem").display()
        )
    };
    let trusted = proxy(&database, "localhost", &folder).await;
    let named_otherwise = proxy(&database, "other.example", &other).await;
    let without = Proxy::start(&database.address(), None).await;
    for (proxy, parameters, what) in [
        (&trusted, roots(&other), "an unknown authority"),
        (
            &trusted,
            "?sslmode=require".to_owned(),
            "an authority that the operating system does not know",
        ),
        (&named_otherwise, roots(&other), "another name"),
        (&without, roots(&folder), "no TLS"),
    ] {
        let url = proxy.url("localhost", &database.url(), &parameters);
        let error = connect(&database, &url)
            .await
            .err()
            .unwrap_or_else(|| panic!("{what} was accepted"));
        assert!(matches!(error, StoreError::Unavailable(_)), "{what}: {error:?}");
    }
    let nowhere = "?sslmode=require&sslrootcert=/nowhere/ca.pem";
    let error = connect(&database, &trusted.url("localhost", &database.url(), nowhere))
        .await
        .err()
        .expect("no such file");
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}
