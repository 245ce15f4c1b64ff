//! How connections and listeners end, and what takes their place.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::support::*;
use crate::network::tcp::{LocalNode, Security};

const CONNECTED: &str = "a node has connected";

#[tokio::test]
async fn other_certificates_are_put_in_force_without_a_failed_call() {
    let (log, _guard) = Log::capture();
    let lab = Lab::new();
    let (dialing, listening) = (lab.tls(1), lab.tls(2));
    let endpoint_of = |node_id, tls: &Arc<_>| endpoint(LocalNode::new(node_id, "test"), Security::Tls(Arc::clone(tls)));
    let (asking, mut asked) = Asking::new();
    let server = serve(endpoint_of(2, &listening), asking).await;
    let caller = Caller::new(endpoint_of(1, &dialing));
    assert!(!listening.reload().unwrap(), "the files are the same");

    for (round, (node_id, tls)) in [(2, &listening), (1, &dialing)].into_iter().enumerate() {
        // One call is under way on the former connection, and one comes later.
        let call = |request: &'static [u8]| {
            let (caller, address) = (caller.clone(), server.address());
            tokio::spawn(async move { caller.call(2, address, request).await })
        };
        let during = call(b"during");
        let first = asked.recv().await.unwrap();
        assert_eq!(log.lines(CONNECTED).len(), round + 1);
        lab.write(node_id, node_id, 100);
        assert!(tls.reload().unwrap());
        until(|| (log.lines(CONNECTED).len() == round + 2).then_some(())).await;
        let after = call(b"after");
        let second = asked.recv().await.unwrap();
        assert_eq!(
            (&first.request[..], &second.request[..]),
            (&b"during"[..], &b"after"[..])
        );
        for asked in [second, first] {
            asked.answer.send(asked.request).unwrap();
        }
        assert_eq!(during.await.unwrap().unwrap(), b"during");
        assert_eq!(after.await.unwrap().unwrap(), b"after");
        until(|| (log.lines("the connection of a node has ended").len() == round + 1).then_some(())).await;
    }
}

#[tokio::test]
async fn an_authority_that_is_trusted_no_more_ends_what_it_had_let_in() {
    let mut lab = Lab::new();
    let (dialing, listening) = (lab.tls(1), lab.tls(2));
    let server = serve(
        endpoint(LocalNode::new(2, "test"), Security::Tls(listening.clone())),
        Arc::new(Backwards),
    )
    .await;
    let caller = Caller::new(endpoint(LocalNode::new(1, "test"), Security::Tls(dialing.clone())));
    caller.call(2, server.address(), b"").await.unwrap();
    lab.renew_authority();
    lab.write(2, 2, 100);
    listening.reload().unwrap();
    let reason = unreachable(caller.fail(2, server.address()).await);
    assert!(reason.contains("not signed by this cluster's authority"), "{reason}");
    lab.write(1, 1, 100);
    dialing.reload().unwrap();
    caller.succeed(2, server.address()).await;
}

#[tokio::test]
async fn certificates_that_nobody_would_accept_are_refused_and_change_nothing() {
    let (lab, elsewhere) = (Lab::new(), Lab::new());
    let files = lab.write(1, 1, 100);
    let tls = lab.open(files.clone(), 1);
    let read = |path| std::fs::read_to_string(path).unwrap();
    let whole = [read(&files.ca), read(&files.cert), read(&files.key)];
    let others = elsewhere.write(1, 1, 100);
    let (other_cert, other_key) = (read(&others.cert), read(&others.key));
    let stale = lab.write(1, 3, 100);
    let of_another = [read(&stale.cert), read(&stale.key)];
    for (ca, cert, key, named, why) in [
        ("", &*whole[1], &*whole[2], ".ca", "no certificate"),
        (&*whole[0], "", &*whole[2], ".crt", "no certificate"),
        (&*whole[0], &*whole[1], "", ".key", ""),
        (&*whole[0], &*whole[1], &*other_key, ".crt", ".key"),
        (&*whole[0], &*other_cert, &*other_key, ".crt", "would not accept"),
        (&*whole[0], &*of_another[0], &*of_another[1], ".crt", "as node-1.prod"),
    ] {
        for (path, text) in [(&files.ca, ca), (&files.cert, cert), (&files.key, key)] {
            std::fs::write(path, text).unwrap();
        }
        let refused = tls.reload().unwrap_err().to_string();
        assert!(refused.contains(named) && refused.contains(why), "{refused}");
        assert!(!refused.contains("PRIVATE"));
    }
    std::fs::remove_file(&files.key).unwrap();
    assert!(tls.reload().is_err());
    let server = serve(lab.endpoint(2), Arc::new(Backwards)).await;
    let caller = Caller::new(endpoint(LocalNode::new(1, "test"), Security::Tls(tls)));
    caller.call(2, server.address(), b"").await.unwrap();
}

#[tokio::test]
async fn a_stop_answers_what_was_asked() {
    let lab = Lab::new();
    let (asking, mut asked) = Asking::new();
    let server = serve(lab.endpoint(2), asking).await;
    let (address, caller) = (server.address(), Caller::new(lab.endpoint(1)));
    let silent = Raw::connect(address).await;
    let call = tokio::spawn({
        let caller = caller.clone();
        async move { caller.call(2, address, b"in time").await }
    });
    let asked = asked.recv().await.unwrap();
    let stopping = tokio::spawn(server.stop());
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!stopping.is_finished());
    asked.answer.send(b"answered".to_vec()).unwrap();
    assert_eq!(call.await.unwrap().unwrap(), b"answered");
    stopping.await.unwrap();
    silent.closed().await;
    unreachable(caller.fail(2, address).await);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let (asking, mut asked) = Asking::new();
    let mut endpoint = plain(2);
    endpoint.limits.drain_max = Duration::from_millis(1);
    let server = serve(endpoint, asking).await;
    let (address, caller) = (server.address(), Caller::new(plain(1)));
    let call = tokio::spawn(async move { caller.call(2, address, b"for ever").await });
    let _asked = asked.recv().await.unwrap();
    server.stop().await;
    interrupted(call.await.unwrap().unwrap_err());
}

#[tokio::test]
async fn dropping_an_owner_closes_its_connections() {
    let (log, _guard) = Log::capture();
    let server = serve(plain(2), Arc::new(Backwards)).await;
    let caller = Caller::new(plain(1));
    caller.call(2, server.address(), b"").await.unwrap();
    drop(caller);
    log.line("the connection of a node has ended").await;
    let mut member = Raw::connect(server.address()).await;
    member.greet(9).await;
    let address = server.address();
    drop(server);
    member.closed().await;
    until(|| std::net::TcpListener::bind(address).ok()).await;
}

#[tokio::test]
async fn a_connection_that_nobody_calls_over_is_dropped_and_made_again() {
    let (log, _guard) = Log::capture();
    let server = serve(plain(2), Arc::new(Backwards)).await;
    let mut endpoint = plain(1);
    endpoint.limits.unused_max = Duration::from_millis(20);
    let caller = Caller::new(endpoint);
    for round in 1..=2 {
        caller.succeed(2, server.address()).await;
        until(|| (log.lines("nobody calls it any more").len() >= round).then_some(())).await;
        until(|| (log.lines("the connection of a node has ended").len() >= round).then_some(())).await;
    }
}

#[tokio::test]
async fn an_old_connection_is_made_anew() {
    for old_side in [1, 2] {
        let (log, _guard) = Log::capture();
        let (mut dialing, mut listening) = (plain(1), plain(2));
        let old = if old_side == 1 { &mut dialing } else { &mut listening };
        old.limits.connection_age_max = Duration::from_millis(20);
        let server = serve(listening, Arc::new(Backwards)).await;
        let caller = Caller::new(dialing);
        caller.call(2, server.address(), b"").await.unwrap();
        until(|| (log.lines(CONNECTED).len() >= 3).then_some(())).await;
    }
}
