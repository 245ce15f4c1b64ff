//! Clients that take more than their share: of connections, of time, of memory. None of them needs to show who it is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use e2e::http2::{DATA, HEADERS, Http2, SETTINGS};
use e2e::{Backend, Node, NodeOptions, Wire, on_both_stores, wire};
use tokio::task::JoinSet;

on_both_stores!(
    a_client_that_never_reads_is_cut_off,
    an_http_2_connection_that_only_answers_pings_is_closed,
    an_http_2_connection_that_waits_for_an_answer_is_not_idle,
    an_http_2_connection_has_64_requests_at_once,
    one_address_can_not_take_every_connection,
    a_trusted_proxy_can_have_every_connection,
    one_address_can_not_hold_all_memory_for_bodies,
    one_address_could_hold_two_gigabytes_of_heads_over_http_2,
);

/// Much longer than the time-outs of these tests, much shorter than for ever.
const BOUND: Duration = Duration::from_secs(20);
/// The client of these tests. The harness itself comes from 127.0.0.1.
const GREEDY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

const GET: &str = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

fn impatient(backend: Backend) -> NodeOptions {
    NodeOptions::on(backend).set("server.header_timeout", "1s")
}

fn head(method: &'static str, path: &'static str) -> [(&'static str, &'static str); 4] {
    [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "x"),
    ]
}

async fn a_client_that_never_reads_is_cut_off(backend: Backend) {
    let node = impatient(backend).start().await;
    let mut deaf = Wire::to(node.place.address()).await;
    let requests = GET.repeat(100);
    assert!(
        deaf.is_closed_while_sending(requests.as_bytes(), BOUND).await,
        "still open after {BOUND:?}"
    );
    node.check_it_works().await;
}

async fn an_http_2_connection_that_only_answers_pings_is_closed(backend: Backend) {
    let node = impatient(backend).start().await;
    let mut idle = Http2::to(node.place.address()).await;
    idle.request(1, &head("GET", "/health"), true).await;
    let _ = idle.next(HEADERS).await;
    assert!(idle.is_closed_within(BOUND).await, "still open after {BOUND:?}");
}

async fn an_http_2_connection_that_waits_for_an_answer_is_not_idle(backend: Backend) {
    let node = impatient(backend).set("server.request_timeout", "60s").start().await;
    let mut busy = Http2::to(node.place.address()).await;
    busy.request(1, &head("POST", "/nowhere"), false).await;
    busy.body(1, b"a", false).await;
    let address = node.place.address();
    // Three that do nothing come and go, one after the other.
    let idle_ones = tokio::spawn(async move {
        for _ in 0..3 {
            let mut idle = Http2::to(address).await;
            assert!(idle.is_closed_within(BOUND).await, "still open after {BOUND:?}");
        }
    });
    // There is a PING to acknowledge every now and then.
    while !idle_ones.is_finished() {
        let _ = busy.frame().await.expect("a request is in flight");
    }
    idle_ones.await.expect("each was closed");
    busy.body(1, b"b", true).await;
    let _ = busy.next(HEADERS).await;
}

async fn an_http_2_connection_has_64_requests_at_once(backend: Backend) {
    let node = Node::start(backend).await;
    let settings = Http2::to(node.place.address()).await.next(SETTINGS).await;
    let streams_max = settings.payload.chunks(6).find(|setting| setting[..2] == [0, 3]);
    assert_eq!(streams_max.map(|setting| &setting[2..]), Some(&[0, 0, 0, 64][..]));
}

/// A connection that has made a request.
async fn open(source: IpAddr, address: SocketAddr) -> Option<Wire> {
    let mut wire = Wire::between(source, address).await;
    wire.send(GET).await;
    wire.response()
        .await
        .is_some_and(|(status, _)| status == 200)
        .then_some(wire)
}

async fn one_address_can_not_take_every_connection(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("server.connections_per_address_max", 8)
        .start()
        .await;
    let address = node.place.address();
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(open(GREEDY, address).await.expect("a place"));
    }
    assert!(open(GREEDY, address).await.is_none(), "the ninth is closed");
    node.check_it_works().await;
    drop(held.pop());
    e2e::eventually("a place for another", async || open(GREEDY, address).await).await;
}

async fn a_trusted_proxy_can_have_every_connection(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("server.connections_per_address_max", 2)
        .set("server.trusted_proxies", GREEDY)
        .start()
        .await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(open(GREEDY, node.place.address()).await.expect("a place"));
    }
}

/// Bodies that are as large as may be, and never complete. What one address may hold is an eighth of what the node does.
async fn one_address_can_not_hold_all_memory_for_bodies(backend: Backend) {
    const MORE_THAN_8_MIB: usize = 40;
    let node = NodeOptions::on(backend)
        .set("server.request_timeout", "60s")
        .start()
        .await;
    let address = node.place.address();
    let head = "POST /api/v1/agents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let body = format!("{head}Content-Length: 261121\r\n\r\n{}", " ".repeat(255 * 1024));
    let mut held = JoinSet::new();
    for _ in 0..MORE_THAN_8_MIB {
        let (body, mut wire) = (body.clone(), Wire::between(GREEDY, address).await);
        held.spawn(async move {
            wire.send(body).await;
            wire.response().await
        });
    }
    let (status, text) = held
        .join_next()
        .await
        .expect("forty tasks")
        .expect("no panic")
        .expect("an answer");
    assert_eq!(status, 503, "{text}");
    assert!(text.to_ascii_lowercase().contains("retry-after: 1\r\n"), "{text}");
    node.check_it_works().await;
    // What is held is given back with the requests that hold it.
    held.shutdown().await;
    e2e::eventually("room for a body", async || {
        let mut wire = Wire::between(GREEDY, address).await;
        wire.send(format!("{body} ")).await;
        wire.finish_sending().await;
        let answer = wire.read_to_end().await;
        (wire::status(&String::from_utf8_lossy(&answer)) == Some(401)).then_some(())
    })
    .await;
}

/// Heads that are far from the largest that are taken, of requests that wait for their bodies.
async fn one_address_could_hold_two_gigabytes_of_heads_over_http_2(backend: Backend) {
    const STREAMS: u32 = 64;
    let node = NodeOptions::on(backend)
        .set("server.request_timeout", "60s")
        .start()
        .await;
    let value = "v".repeat(100);
    let mut large = head("POST", "/api/v1/agents").to_vec();
    large.extend((0..100).map(|_| ("x-large", value.as_str())));
    let mut first = Http2::between(GREEDY, node.place.address()).await;
    for stream in 1..STREAMS {
        first.request(2 * stream - 1, &large, false).await;
    }
    // What is answered behind them shows that they have come.
    first.request(2 * STREAMS - 1, &head("GET", "/health"), true).await;
    assert_eq!(first.next(HEADERS).await.stream, 2 * STREAMS - 1);
    let mut further = Vec::new();
    for _ in 0..3 {
        let mut connection = Http2::between(GREEDY, node.place.address()).await;
        for stream in 1..STREAMS {
            connection.request(2 * stream - 1, &large, false).await;
        }
        further.push(connection);
    }
    // None of them is complete, so whatever is answered is refused.
    let refusal = further.last_mut().expect("three connections").next(DATA).await;
    let text = String::from_utf8_lossy(&refusal.payload).into_owned();
    assert!(text.contains("SERVICE_UNAVAILABLE"), "{text}");
    node.check_it_works().await;
    // Those that were taken are answered.
    first.body(1, b"{}", true).await;
    let answer = loop {
        let answer = first.next(DATA).await;
        if answer.stream == 1 {
            break answer;
        }
    };
    assert!(String::from_utf8_lossy(&answer.payload).contains("UNAUTHORIZED"));
    drop((first, further));
    e2e::eventually("room for a head", async || {
        let mut again = Http2::between(GREEDY, node.place.address()).await;
        again.request(1, &large, true).await;
        let answer = again.next(DATA).await;
        String::from_utf8_lossy(&answer.payload)
            .contains("UNAUTHORIZED")
            .then_some(())
    })
    .await;
}
