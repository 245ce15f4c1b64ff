//! Over TLS, only servers are believed that an authority vouches for whom the client trusts.

use std::sync::Arc;

use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sdk::{Client, Error, RetryPolicy, TransportFailure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Starts a server for the name `localhost`; its port, and its certificate in PEM.
async fn start() -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a private key");
    let config = ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![cert.der().clone()], key)
        })
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("localhost:0").await.expect("a free port");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not believe us hangs up, and that is what some tests are about.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}";
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, cert.pem())
}

async fn ask(issuer: String, trusted: Option<String>) -> Result<usize, Error> {
    let builder = Client::builder(&issuer).retries(RetryPolicy::NEVER);
    let builder = match trusted {
        Some(pem) => builder.trust_certificates(pem),
        None => builder,
    };
    Ok(builder.build()?.jwks().await?.keys.len())
}

fn is_disbelief(result: &Result<usize, Error>) -> bool {
    matches!(result, Err(Error::Transport(error)) if error.failure == TransportFailure::Connect)
}

#[tokio::test]
async fn a_server_of_a_private_authority_is_believed_if_the_client_is_told_to() {
    let (port, pem) = start().await;
    assert_eq!(ask(format!("https://localhost:{port}"), Some(pem)).await, Ok(0));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_believed() {
    let (port, _) = start().await;
    let (_, pem_of_another) = start().await;
    let result = ask(format!("https://localhost:{port}"), Some(pem_of_another)).await;
    assert!(is_disbelief(&result), "{result:?}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let (port, pem) = start().await;
    let result = ask(format!("https://127.0.0.1:{port}"), Some(pem)).await;
    assert!(is_disbelief(&result), "{result:?}");
}
