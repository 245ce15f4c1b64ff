//! What a node puts up with from others: nothing that is not said as agreed, and nothing that takes for ever.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::support::*;
use crate::network::tcp::frame::Frame;
use crate::network::tcp::hello::Greeting;
use crate::network::tcp::limits::{BODY_BYTES_MAX, HELLO_BYTES_MAX};
use crate::network::tcp::{Endpoint, PeerServer};

const REFUSED: &str = "a connection of another node was refused";
const ENDED: &str = "the connection of a node has ended";
const SHORT: Duration = Duration::from_millis(5);

async fn still_serves(server: &PeerServer) {
    let answer = Caller::new(plain(1)).call(2, server.address(), b"ab").await;
    assert_eq!(answer.unwrap(), b"ba");
}

fn impatient(change: impl FnOnce(&mut Endpoint)) -> Endpoint {
    let mut endpoint = plain(2);
    change(&mut endpoint);
    endpoint
}

#[tokio::test]
async fn garbage_before_the_hello() {
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: node\r\n\r\n"[..],
        &[0; 100],
        &[255; 100],
        &u32::try_from(HELLO_BYTES_MAX + 1).unwrap().to_be_bytes(),
        &[0, 0, 0, 9, b'A', b'I', b'D', b'P', b'p', b'e', b'e', b'r', 1],
    ] {
        let (log, _guard) = Log::capture();
        let server = serve(plain(2), Arc::new(Backwards)).await;
        let mut stranger = Raw::connect(server.address()).await;
        stranger.send(garbage).await;
        assert!(matches!(stranger.greeting().await, Greeting::Refused(reason) if reason.contains("hello")));
        stranger.closed().await;
        assert!(log.line(REFUSED).await.contains("did not say hello"));
        still_serves(&server).await;
    }
}

#[tokio::test]
async fn garbage_instead_of_tls() {
    let (log, _guard) = Log::capture();
    let lab = Lab::new();
    let server = serve(lab.endpoint(2), Arc::new(Backwards)).await;
    let mut stranger = Raw::connect(server.address()).await;
    stranger.send(&[7; 1_000]).await;
    stranger.closed().await;
    assert!(log.line(REFUSED).await.contains("does not speak TLS"));
    let answer = Caller::new(lab.endpoint(1)).call(2, server.address(), b"ab").await;
    assert_eq!(answer.unwrap(), b"ba");
}

/// Plays a member that, after its hello, sends this; returns why it was cut off.
async fn cut_off_after(bytes: &[u8]) -> String {
    let (log, _guard) = Log::capture();
    let server = serve(plain(2), Arc::new(Backwards)).await;
    let mut member = Raw::connect(server.address()).await;
    member.greet(9).await;
    member.send(bytes).await;
    member.closed().await;
    let reason = log.line(ENDED).await;
    still_serves(&server).await;
    reason
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection() {
    let too_long = u32::try_from(BODY_BYTES_MAX + 1).unwrap().to_be_bytes();
    assert!(cut_off_after(&too_long).await.contains("announced a message of"));
    assert!(
        cut_off_after(&[255; 4])
            .await
            .contains("announced a message of 4294967295")
    );
    assert!(cut_off_after(&[0, 0, 0, 1, 1]).await.contains("cut off"));
    let unknown = [0, 0, 0, 9, 77, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(cut_off_after(&unknown).await.contains("unknown kind 77"));
    let answer = [0, 0, 0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(cut_off_after(&answer).await.contains("it answers"));
}

#[tokio::test]
async fn a_message_that_breaks_off() {
    let (log, _guard) = Log::capture();
    let server = serve(plain(2), Arc::new(Backwards)).await;
    let mut member = Raw::connect(server.address()).await;
    member.greet(9).await;
    member.send(&[0, 0, 0, 100, 1, 0]).await;
    drop(member);
    assert!(log.line(ENDED).await.contains("in the middle of a message"));
    still_serves(&server).await;
}

#[tokio::test]
async fn who_does_not_say_hello_in_time() {
    for with_tls in [false, true] {
        let (log, _guard) = Log::capture();
        let lab = Lab::new();
        let mut endpoint = if with_tls { lab.endpoint(2) } else { plain(2) };
        endpoint.limits.handshake_timeout = SHORT;
        let server = serve(endpoint, Arc::new(Backwards)).await;
        let mut slow = Raw::connect(server.address()).await;
        // The beginning of a TLS record or of a length.
        slow.send(&[22]).await;
        slow.closed().await;
        assert!(log.line(REFUSED).await.contains("did not say hello within 5ms"));
    }
}

#[tokio::test]
async fn a_listener_that_does_not_say_hello_in_time() {
    let silent = listener().await;
    let mut endpoint = plain(1);
    endpoint.limits.handshake_timeout = SHORT;
    let caller = Caller::new(endpoint);
    let reason = unreachable(caller.call(2, silent.local_addr().unwrap(), b"").await.unwrap_err());
    assert!(reason.contains("within 5ms"), "{reason}");
}

#[tokio::test]
async fn a_member_that_falls_silent_is_closed() {
    let (log, _guard) = Log::capture();
    let server = serve(
        impatient(|endpoint| endpoint.limits.idle_max = SHORT),
        Arc::new(Backwards),
    )
    .await;
    let mut member = Raw::connect(server.address()).await;
    member.greet(9).await;
    member.closed().await;
    assert!(log.line(ENDED).await.contains("nothing was heard of it for 5ms"));
}

#[tokio::test]
async fn a_peer_that_answers_no_pings_is_noticed_even_if_nobody_calls() {
    let (log, _guard) = Log::capture();
    let mut endpoint = plain(1);
    endpoint.limits.ping_every = Duration::from_millis(1);
    endpoint.limits.silence_max = Duration::from_millis(500);
    let half_open = listener().await;
    let address = half_open.local_addr().unwrap();
    let caller = Caller::new(endpoint);
    let call = caller.call_within(2, address, b"once", LONG);
    let play = async {
        let mut peer = Raw(half_open.accept().await.unwrap().0);
        peer.message().await.unwrap();
        let hello = Greeting::Hello(plain(2).local.hello()).to_bytes();
        peer.send_message(&hello).await;
        assert_eq!(peer.greeting().await, Greeting::Agreed);
        let Frame::Request(number, _) = Frame::read(peer.message().await.unwrap()).unwrap() else {
            panic!("a request was expected");
        };
        peer.send_frame(Frame::Answer(number, Bytes::new())).await;
        // From now on it only listens.
        while let Some(message) = peer.message().await {
            assert_eq!(Frame::read(message).unwrap(), Frame::Ping);
        }
    };
    let (called, ()) = tokio::join!(call, play);
    called.unwrap();
    let reason = log.line("the connection to a node broke").await;
    assert!(reason.contains("nothing was heard of it for 500ms"), "{reason}");
}

#[tokio::test]
async fn a_ping_is_answered_also_while_requests_are_in_hand() {
    let (asking, mut asked) = Asking::new();
    let server = serve(plain(2), asking).await;
    let mut member = Raw::connect(server.address()).await;
    member.greet(9).await;
    member.send_frame(Frame::Request(1, Bytes::new())).await;
    let _in_hand = asked.recv().await.unwrap();
    for _ in 0..3 {
        member.send_frame(Frame::Ping).await;
        assert_eq!(Frame::read(member.message().await.unwrap()).unwrap(), Frame::Pong);
    }
}

#[tokio::test]
async fn the_number_of_connections_is_bounded() {
    let endpoint = impatient(|endpoint| endpoint.limits.connections_max = 1);
    let server = serve(endpoint, Arc::new(Backwards)).await;
    let mut first = Raw::connect(server.address()).await;
    first.greet(8).await;
    let caller = Caller::new(plain(1));
    let reason = unreachable(caller.fail(2, server.address()).await);
    assert!(reason.contains("1 nodes are connected already"), "{reason}");
    drop(first);
    caller.succeed(2, server.address()).await;
}

#[tokio::test]
async fn who_says_nothing_keeps_nobody_out() {
    let (log, _guard) = Log::capture();
    let endpoint = impatient(|endpoint| {
        endpoint.limits.handshakes_max = 4;
        endpoint.limits.handshake_timeout = LONG;
    });
    let server = serve(endpoint, Arc::new(Backwards)).await;
    let oldest = Raw::connect(server.address()).await;
    let mut silent = Vec::new();
    for _ in 1..4 {
        silent.push(Raw::connect(server.address()).await);
    }
    still_serves(&server).await;
    oldest.closed().await;
    assert!(log.line(REFUSED).await.contains("4 connections have not said hello"));
}

#[tokio::test]
async fn a_request_that_panics_ends_its_connection_only() {
    struct Panics;
    #[async_trait::async_trait]
    impl crate::network::tcp::Answering for Panics {
        async fn answer(&self, request: &[u8]) -> Vec<u8> {
            assert!(request != b"panic", "as asked");
            request.to_vec()
        }
    }
    let server = serve(plain(2), Arc::new(Panics)).await;
    let caller = Caller::new(plain(1));
    interrupted(caller.call(2, server.address(), b"panic").await.unwrap_err());
    caller.succeed(2, server.address()).await;
}
