//! Calls and their answers.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::support::*;
use crate::network::TransportError;
use crate::network::tcp::limits::BODY_BYTES_MAX;
use crate::network::tcp::{Endpoint, PeerServer, TcpLimits};

type Called = JoinHandle<Result<Vec<u8>, TransportError>>;

fn begin(caller: &Caller, address: SocketAddr, request: &'static str) -> Called {
    let caller = caller.clone();
    tokio::spawn(async move { caller.call(2, address, request.as_bytes()).await })
}

#[tokio::test]
async fn answers_come_in_any_order_over_one_connection() {
    let (log, _guard) = Log::capture();
    let lab = Lab::new();
    let (asking, mut asked) = Asking::new();
    let server = serve(lab.endpoint(2), asking).await;
    let caller = Caller::new(lab.endpoint(1));
    let (slow, quick) = (
        begin(&caller, server.address(), "slow"),
        begin(&caller, server.address(), "quick"),
    );
    let (first, second) = (asked.recv().await.unwrap(), asked.recv().await.unwrap());
    let (slow_asked, quick_asked) = if first.request == b"slow" {
        (first, second)
    } else {
        (second, first)
    };
    quick_asked.answer.send(b"vote".to_vec()).unwrap();
    assert_eq!(quick.await.unwrap().unwrap(), b"vote");
    assert!(!slow.is_finished());
    slow_asked.answer.send(b"at last".to_vec()).unwrap();
    assert_eq!(slow.await.unwrap().unwrap(), b"at last");
    assert_eq!(log.lines("a node has connected").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_get_each_its_own_answer() {
    let lab = Lab::new();
    let server = serve(lab.endpoint(2), std::sync::Arc::new(Backwards)).await;
    let caller = Caller::new(lab.endpoint(1));
    let calls = (0..200u32).map(|number| {
        let (caller, address) = (caller.clone(), server.address());
        tokio::spawn(async move {
            for round in 0..5u32 {
                // A few of them are long enough to be cut into many pieces on the way.
                let length = if number % 50 == 0 { 300_000 } else { 8 };
                let mut request = vec![0; length];
                request[..4].copy_from_slice(&number.to_be_bytes());
                request[4..8].copy_from_slice(&round.to_be_bytes());
                let answer = caller.call(2, address, &request).await.unwrap();
                request.reverse();
                assert!(answer == request, "call {number}, round {round}");
            }
        })
    });
    for call in join_all(calls).await {
        call.unwrap();
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_a_late_answer_is_nobodys() {
    let lab = Lab::new();
    let (asking, mut asked) = Asking::new();
    let server = serve(lab.endpoint(2), asking).await;
    let caller = Caller::new(lab.endpoint(1));
    let short = Duration::from_millis(1);
    let mut late = begin(&caller, server.address(), "connects");
    asked.recv().await.unwrap().answer.send(vec![]).unwrap();
    (&mut late).await.unwrap().unwrap();
    let error = caller
        .call_within(2, server.address(), b"late", short)
        .await
        .unwrap_err();
    assert!(interrupted(error).contains("deadline"));
    let too_late = asked.recv().await.unwrap();
    let _ = too_late.answer.send(b"wrong".to_vec());
    let next = begin(&caller, server.address(), "next");
    asked.recv().await.unwrap().answer.send(b"right".to_vec()).unwrap();
    assert_eq!(next.await.unwrap().unwrap(), b"right");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_no_connection() {
    let silent = listener().await;
    let address = silent.local_addr().unwrap();
    let caller = Caller::new(Lab::new().endpoint(1));
    let error = caller
        .call_within(2, address, b"hello?", Duration::from_millis(1))
        .await
        .unwrap_err();
    assert!(unreachable(error).contains("before the deadline"));
}

#[tokio::test]
async fn a_peer_that_dies_interrupts_calls_and_is_called_again_when_it_is_back() {
    let lab = Lab::new();
    let (asking, mut asked) = Asking::new();
    let first = listener().await.into_std().unwrap();
    let address = first.local_addr().unwrap();
    // The next server listens at the same address.
    let second = TcpListener::from_std(first.try_clone().unwrap()).unwrap();
    let server = PeerServer::serve(TcpListener::from_std(first).unwrap(), lab.endpoint(2), asking).unwrap();
    let caller = Caller::new(lab.endpoint(1));
    let call = begin(&caller, address, "half way");
    let _asked = asked.recv().await.unwrap();
    drop(server);
    interrupted(call.await.unwrap().unwrap_err());
    let _server = PeerServer::serve(second, lab.endpoint(2), std::sync::Arc::new(Backwards)).unwrap();
    caller.succeed(2, address).await;
    assert_eq!(caller.call(2, address, b"abc").await.unwrap(), b"cba");
}

#[tokio::test]
async fn who_is_back_and_says_hello_is_called_at_once() {
    let its = listener().await.into_std().unwrap();
    let address = its.local_addr().unwrap();
    drop(its);
    let mut endpoint = plain(1);
    (endpoint.limits.backoff_min, endpoint.limits.backoff_max) = (LONG, LONG);
    let server = serve(endpoint.clone(), std::sync::Arc::new(Backwards)).await;
    let caller = Caller::new(endpoint);
    unreachable(caller.fail(2, address).await);
    let back = TcpListener::bind(address).await.unwrap();
    let _back = PeerServer::serve(back, plain(2), std::sync::Arc::new(Backwards)).unwrap();
    Caller::new(plain(2)).succeed(1, server.address()).await;
    caller.succeed(2, address).await;
}

#[tokio::test]
async fn calls_fail_at_once_while_waiting_for_the_next_attempt() {
    let gone = listener().await.local_addr().unwrap();
    let mut endpoint = plain(1);
    (endpoint.limits.backoff_min, endpoint.limits.backoff_max) = (LONG, LONG);
    let caller = Caller::new(endpoint);
    for _ in 0..3 {
        let reason = unreachable(caller.call(2, gone, b"anybody?").await.unwrap_err());
        assert!(reason.contains("refused"), "{reason}");
    }
    caller.draws.at_least(1).await;
}

fn narrow(node_id: u64, narrow: impl FnOnce(&mut TcpLimits)) -> Endpoint {
    let mut endpoint = plain(node_id);
    narrow(&mut endpoint.limits);
    endpoint
}

#[tokio::test]
async fn the_number_and_the_bytes_of_calls_in_flight_are_bounded() {
    let (asking, mut asked) = Asking::new();
    let server = serve(plain(2), asking).await;
    let caller = Caller::new(narrow(1, |limits| {
        limits.calls_max = 2;
        limits.call_bytes_max = 10;
    }));
    let first = begin(&caller, server.address(), "first");
    let first_asked = asked.recv().await.unwrap();
    let too_long = caller.call(2, server.address(), b"second").await.unwrap_err();
    assert!(unreachable(too_long).contains("bytes"));
    let second = begin(&caller, server.address(), "2.");
    let second_asked = asked.recv().await.unwrap();
    let too_many = caller.call(2, server.address(), b"3").await.unwrap_err();
    assert!(unreachable(too_many).contains("2 requests"));
    for asked in [first_asked, second_asked] {
        asked.answer.send(vec![]).unwrap();
    }
    for call in [first, second] {
        call.await.unwrap().unwrap();
    }
    let third = begin(&caller, server.address(), "third");
    asked.recv().await.unwrap().answer.send(vec![3]).unwrap();
    assert_eq!(third.await.unwrap().unwrap(), [3]);
}

#[tokio::test]
async fn a_listener_says_at_once_what_it_has_no_room_for() {
    let (asking, mut asked) = Asking::new();
    let server = serve(narrow(2, |limits| limits.requests_max = 1), asking).await;
    let caller = Caller::new(plain(1));
    let first = begin(&caller, server.address(), "first");
    let first_asked = asked.recv().await.unwrap();
    let refused = caller.call(2, server.address(), b"second").await.unwrap_err();
    assert!(unreachable(refused).contains("1 requests are in flight"));
    first_asked.answer.send(b"done".to_vec()).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), b"done");
}

#[tokio::test]
async fn what_is_too_long_is_not_sent() {
    let (asking, mut asked) = Asking::new();
    let server = serve(plain(2), asking).await;
    let caller = Caller::new(plain(1));
    let refused = caller
        .call(2, server.address(), &vec![0; BODY_BYTES_MAX])
        .await
        .unwrap_err();
    assert!(unreachable(refused).contains("too long"));
    let call = begin(&caller, server.address(), "a long answer, please");
    let asked = asked.recv().await.unwrap();
    asked.answer.send(vec![0; BODY_BYTES_MAX]).unwrap();
    assert!(unreachable(call.await.unwrap().unwrap_err()).contains("too long"));
}

#[tokio::test]
async fn the_longest_message_gets_through() {
    let server = serve(plain(2), std::sync::Arc::new(Backwards)).await;
    let longest = vec![7; BODY_BYTES_MAX - 9];
    let answer = Caller::new(plain(1)).call(2, server.address(), &longest).await.unwrap();
    assert!(answer == longest);
}

#[tokio::test]
async fn another_address_is_another_connection() {
    let lab = Lab::new();
    let (asking, mut asked) = Asking::new();
    let (old, new) = (
        serve(lab.endpoint(2), asking).await,
        serve(lab.endpoint(2), std::sync::Arc::new(Backwards)).await,
    );
    let caller = Caller::new(lab.endpoint(1));
    let at_old = begin(&caller, old.address(), "at the old address");
    let asked = asked.recv().await.unwrap();
    assert_eq!(caller.call(2, new.address(), b"ab").await.unwrap(), b"ba");
    // What was asked at the former address is answered there.
    asked.answer.send(b"old".to_vec()).unwrap();
    assert_eq!(at_old.await.unwrap().unwrap(), b"old");
}
