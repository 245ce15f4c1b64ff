//! Who is refused, and that both sides say why, once.

use std::sync::Arc;

use super::support::*;
use crate::network::tcp::hello::Versions;
use crate::network::tcp::{Endpoint, LocalNode, PeerServer, Security};

const AT_THE_DIALER: &str = "cannot connect to a node";
const AT_THE_LISTENER: &str = "a connection of another node was refused";

/// Has node 1 call node 2 a few times, and requires that both log these reasons once.
pub(super) async fn refused(dialing: Endpoint, listening: Endpoint, at_dialer: &str, at_listener: &str) {
    let (log, _guard) = Log::capture();
    let server = serve(listening, Arc::new(Backwards)).await;
    let caller = Caller::new(dialing);
    let reason = unreachable(caller.fail(2, server.address()).await);
    assert!(reason.contains(at_dialer), "{reason}");
    let told = log.line(AT_THE_LISTENER).await;
    assert!(told.contains(at_listener), "{told}");
    caller.draws.at_least(3).await;
    assert_eq!(log.lines(AT_THE_DIALER).len(), 1, "{:?}", log.lines(""));
    assert_eq!(log.lines(AT_THE_LISTENER).len(), 1, "{:?}", log.lines(""));
    assert!(log.line(AT_THE_DIALER).await.contains(at_dialer));
}

pub(super) fn with(node: LocalNode, security: &Endpoint) -> Endpoint {
    endpoint(node, security.security.clone())
}

#[tokio::test]
async fn a_stranger_that_dials() {
    let (lab, elsewhere) = (Lab::new(), Lab::new());
    // It trusts our authority, but its certificate is another's.
    let files = elsewhere.write(1, 1, 100);
    let tls = elsewhere.open(files.clone(), 1);
    let both = [elsewhere.authority.certificate_pem(), lab.authority.certificate_pem()].concat();
    std::fs::write(files.ca, both).unwrap();
    assert!(tls.reload().unwrap());
    let dialing = endpoint(LocalNode::new(1, "test"), Security::Tls(tls));
    refused(
        dialing,
        lab.endpoint(2),
        "this node's certificate is not signed by",
        "its certificate is not signed by this cluster's authority",
    )
    .await;
}

#[tokio::test]
async fn a_stranger_that_listens() {
    let (lab, elsewhere) = (Lab::new(), Lab::new());
    refused(
        lab.endpoint(1),
        elsewhere.endpoint(2),
        "its certificate is not signed by this cluster's authority",
        "this node's certificate is not signed by",
    )
    .await;
}

#[tokio::test]
async fn an_expired_certificate_of_the_dialer() {
    let lab = Lab::new();
    let expiring = lab.open(lab.write(1, 1, 1), 1);
    let dialing = endpoint(LocalNode::new(1, "test"), Security::Tls(expiring));
    let listening = lab.endpoint(2);
    lab.pass_days(2);
    refused(
        dialing,
        listening,
        "this node's certificate has expired",
        "its certificate has expired",
    )
    .await;
}

#[tokio::test]
async fn an_expired_certificate_of_the_listener() {
    let lab = Lab::new();
    let expiring = lab.open(lab.write(2, 2, 1), 2);
    let listening = endpoint(LocalNode::new(2, "test"), Security::Tls(expiring));
    let dialing = lab.endpoint(1);
    lab.pass_days(2);
    refused(
        dialing,
        listening,
        "its certificate has expired",
        "this node's certificate has expired",
    )
    .await;
}

#[tokio::test]
async fn a_dialer_with_the_certificate_of_another_node() {
    let lab = Lab::new();
    let dialing = with(LocalNode::new(1, "test"), &lab.endpoint(3));
    let reason = "it says that it is node 1, but its certificate is not for node-1.prod";
    refused(dialing, lab.endpoint(2), reason, reason).await;
}

#[tokio::test]
async fn a_listener_with_the_certificate_of_another_node() {
    let lab = Lab::new();
    let listening = with(LocalNode::new(2, "test"), &lab.endpoint(3));
    refused(
        lab.endpoint(1),
        listening,
        "node-2.prod",
        "it does not accept this node's certificate",
    )
    .await;
}

#[tokio::test]
async fn a_listener_that_is_another_node() {
    let reason = "node 3 answered at the address of node 2";
    refused(plain(1), plain(3), reason, reason).await;
}

#[tokio::test]
async fn another_cluster() {
    let lab = Lab::new();
    let node = |node_id, cluster| {
        let local = LocalNode::new(node_id, "test");
        local.say(Arc::new(Member::of(cluster)));
        with(local, &lab.endpoint(node_id))
    };
    let reason = "node 2 belongs to cluster 00000000-0000-0000-0000-000000000007, node 1 to cluster";
    refused(node(1, 8), node(2, 7), reason, reason).await;
    // Who does not know its cluster yet is let in.
    for (dialing, listening) in [(lab.endpoint(1), node(2, 7)), (node(1, 7), lab.endpoint(2))] {
        let server = serve(listening, Arc::new(Backwards)).await;
        Caller::new(dialing).call(2, server.address(), b"").await.unwrap();
    }
}

#[tokio::test]
async fn another_version_of_the_wire() {
    let lab = Lab::new();
    let later = LocalNode::new(1, "9.9").speaking(Versions { lowest: 2, highest: 3 });
    let reason = "node 1 (9.9, wire versions 2 to 3) have no version of the wire in common";
    refused(with(later, &lab.endpoint(1)), lab.endpoint(2), reason, reason).await;
}

#[tokio::test]
async fn two_nodes_with_one_number() {
    let lab = Lab::new();
    let dialing = with(LocalNode::new(2, "test"), &lab.endpoint(2));
    let reason = "both say that they are node 2";
    refused(dialing, lab.endpoint(2), reason, reason).await;
}

#[tokio::test]
async fn one_side_without_tls() {
    let lab = Lab::new();
    refused(
        plain(1),
        lab.endpoint(2),
        "it did not say hello as a node does",
        "it does not speak TLS",
    )
    .await;
    refused(
        lab.endpoint(1),
        plain(2),
        "it does not speak TLS",
        "it did not say hello as a node does",
    )
    .await;
}

#[tokio::test]
async fn another_protocol_over_tls() {
    let (log, _guard) = Log::capture();
    let lab = Lab::new();
    let server = serve(lab.endpoint(2), Arc::new(Backwards)).await;
    let tls = lab.tls(1);
    for protocols in [vec![], vec![b"h2".to_vec()]] {
        let mut config = (*tls.subscribe().borrow().client).clone();
        config.alpn_protocols = protocols;
        let stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        let refused = tls.dial(Arc::new(config), stream, 2).await.map(drop).unwrap_err();
        assert!(
            refused.contains("does not speak the protocol between nodes"),
            "{refused}"
        );
    }
    assert!(
        log.line(AT_THE_LISTENER)
            .await
            .contains("does not speak the protocol between nodes")
    );
}

#[tokio::test]
async fn without_tls_only_loopback_is_listened_on_and_dialed() {
    let everywhere = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = PeerServer::serve(everywhere, plain(2), Arc::new(Backwards)).map(|_| ());
    assert!(refused.unwrap_err().to_string().contains("0.0.0.0"));
    // An address of the documentation (RFC 5737): nothing is sent to it.
    let elsewhere = "192.0.2.1:7000".parse().unwrap();
    let reason = unreachable(Caller::new(plain(1)).call(2, elsewhere, b"").await.unwrap_err());
    assert!(reason.contains("not a loopback address"), "{reason}");
    let lab = Lab::new();
    let everywhere = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(PeerServer::serve(everywhere, lab.endpoint(2), Arc::new(Backwards)).is_ok());
}
