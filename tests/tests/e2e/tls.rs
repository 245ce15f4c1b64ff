//! The listener for agents over TLS.

use std::time::Duration;

use e2e::node::token_form;
use e2e::scratch::Scratch;
use e2e::{Api, Backend, Node, NodeOptions, Wire, on_both_stores, wire};

on_both_stores!(
    tokens_are_served_over_tls_and_browsers_told_to_insist_on_it,
    plain_http_is_not_served_there,
    a_handshake_that_stalls_is_cut_off,
    a_certificate_that_can_not_be_used_is_named_and_costs_no_secret,
);

/// A certificate for loopback that nobody but itself vouches for, and options that name it.
struct Identity {
    scratch: Scratch,
    certificate: String,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
        let (scratch, certificate) = (Scratch::new(), made.cert.pem());
        std::fs::write(scratch.path("cert.pem"), &certificate).expect("a directory of our own");
        std::fs::write(scratch.path("key.pem"), made.signing_key.serialize_pem()).expect("a directory of our own");
        Self { scratch, certificate }
    }

    fn options(&self, backend: Backend) -> NodeOptions {
        let path = |name: &str| self.scratch.path(name).display().to_string();
        NodeOptions::on(backend)
            .set("server.tls.cert", path("cert.pem"))
            .set("server.tls.key", path("key.pem"))
    }

    fn api(&self, node: &Node) -> Api {
        Api::trusting(node.issuer(), &self.certificate)
    }
}

async fn tokens_are_served_over_tls_and_browsers_told_to_insist_on_it(backend: Backend) {
    let identity = Identity::new();
    let node = identity.options(backend).start().await;
    assert_eq!(node.issuer(), format!("https://{}", node.place.address()));
    let api = identity.api(&node);
    let answer = api
        .post("/oauth2/token")
        .basic(&node.admin)
        .form(&token_form(""))
        .send()
        .await
        .expect(200);
    assert!(
        answer.header("strict-transport-security").contains("max-age="),
        "{:?}",
        answer.headers
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
    let _ = api.get("/api/v1/agents").bearer(&token).send().await.expect(200);
    let stranger = Api::at(node.issuer()).get("/health").try_send().await;
    assert!(
        stranger.is_err(),
        "whoever does not trust the certificate is not served"
    );
}

async fn plain_http_is_not_served_there(backend: Backend) {
    let identity = Identity::new();
    let node = identity.options(backend).start().await;
    let answer = wire::exchange(node.place.address(), "GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(wire::status(&answer), None, "{answer}");
    let _ = identity.api(&node).get("/health").send().await.expect(200);
}

async fn a_handshake_that_stalls_is_cut_off(backend: Backend) {
    let identity = Identity::new();
    let node = identity
        .options(backend)
        .set("server.header_timeout", "1s")
        .start()
        .await;
    // Nothing; and the first bytes of a ClientHello that announces more.
    for opening in [&b""[..], &[0x16, 3, 1, 2, 0, 1, 0]] {
        let mut stalled = Wire::to(node.place.address()).await;
        stalled.send(opening).await;
        assert!(
            stalled.read_to_end_within(Duration::from_secs(20)).await.is_some(),
            "still open after {opening:?}"
        );
    }
    let _ = identity.api(&node).get("/health").send().await.expect(200);
}

async fn a_certificate_that_can_not_be_used_is_named_and_costs_no_secret(backend: Backend) {
    let identity = Identity::new();
    let cert = identity.scratch.path("cert.pem");
    std::fs::write(&cert, "no certificate").expect("a directory of our own");
    let place = e2e::node::Place::fresh(identity.options(backend)).await;
    let failed = place.launch().await.expect_err("the certificate is none");
    assert!(!failed.status.success());
    assert!(
        failed.output.contains("cert.pem") && !failed.output.contains("panicked"),
        "{failed:?}"
    );
    std::fs::remove_file(&cert).expect("a directory of our own");
    let failed = place.launch().await.expect_err("there is no certificate");
    assert!(failed.output.contains("cert.pem"), "{failed:?}");
    assert!(!place.data_dir().exists(), "nothing was made");
    std::fs::write(&cert, &identity.certificate).expect("a directory of our own");
    let (_process, announcement) = place.launch().await.expect("a start");
    assert!(announcement.text("clientSecret").starts_with("sk_live_"));
}
