//! Heads that are well-formed and yet no request for this node: CONNECT, no host, two hosts.

use e2e::http2::{DATA, HEADERS, Http2};
use e2e::{Backend, Node, on_both_stores, wire};

on_both_stores!(
    connect_is_refused_with_an_answer,
    connect_over_http_2_is_refused_with_an_answer,
    a_request_without_a_host_is_refused,
    a_request_with_two_hosts_is_refused,
    two_hosts_over_http_2_are_refused,
);

/// What 400 is in a block of headers (RFC 7541 appendix A, entry 12).
const STATUS_400: u8 = 0x80 | 12;
/// What 200 is there, entry 8.
const STATUS_200: u8 = 0x80 | 8;

async fn answer_to(node: &Node, head: &str) -> String {
    wire::exchange(node.place.address(), format!("{head}\r\nConnection: close\r\n\r\n")).await
}

async fn connect_is_refused_with_an_answer(backend: Backend) {
    let node = Node::start(backend).await;
    let answer = answer_to(&node, "CONNECT a.example:1 HTTP/1.1\r\nHost: a.example:1").await;
    assert_eq!(wire::status(&answer), Some(400), "{answer}");
    assert!(answer.contains(r#""code":"INVALID_REQUEST""#), "{answer}");
    assert!(!node.place.log().contains("panicked"), "{}", node.place.log());
    node.check_it_works().await;
}

async fn connect_over_http_2_is_refused_with_an_answer(backend: Backend) {
    let node = Node::start(backend).await;
    let mut http2 = Http2::to(node.place.address()).await;
    let head = [(":method", "CONNECT"), (":authority", "a.example:1")];
    http2.request(1, &head, true).await;
    assert_eq!(http2.next(HEADERS).await.payload.first(), Some(&STATUS_400));
    let body = String::from_utf8(http2.next(DATA).await.payload).expect("text");
    assert!(body.contains(r#""code":"INVALID_REQUEST""#), "{body}");
    assert!(!node.place.log().contains("panicked"), "{}", node.place.log());
}

/// RFC 9112 §3.2.
async fn a_request_without_a_host_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let answer = answer_to(&node, "GET /health HTTP/1.1").await;
    assert_eq!(wire::status(&answer), Some(400), "{answer}");
    assert!(answer.contains(r#""code":"INVALID_REQUEST""#), "{answer}");
    let oauth = answer_to(&node, "POST /oauth2/token HTTP/1.1\r\nContent-Length: 0").await;
    assert_eq!(wire::status(&oauth), Some(400), "{oauth}");
    assert!(oauth.contains(r#""error":"invalid_request""#), "{oauth}");
    let old = answer_to(&node, "GET /health HTTP/1.0").await;
    assert_eq!(wire::status(&old), Some(200), "HTTP/1.0 knows no such header: {old}");
}

async fn a_request_with_two_hosts_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    for other in ["a.example", "b.example"] {
        let answer = answer_to(
            &node,
            &format!("GET /health HTTP/1.1\r\nHost: a.example\r\nHost: {other}"),
        )
        .await;
        assert_eq!(wire::status(&answer), Some(400), "{answer}");
    }
}

/// RFC 9113 §8.3.1.
async fn two_hosts_over_http_2_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let mut http2 = Http2::to(node.place.address()).await;
    for (stream, host, status) in [(1, "b.example", STATUS_400), (3, "a.example", STATUS_200)] {
        let head = [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/health"),
            (":authority", "a.example"),
            ("host", host),
        ];
        http2.request(stream, &head, true).await;
        assert_eq!(http2.next(HEADERS).await.payload.first(), Some(&status), "{host}");
    }
}
