//! Connections that misbehave, and many at once.

use std::time::Duration;

use e2e::{Backend, Client, Node, NodeOptions, Wire, on_both_stores, wire};

on_both_stores!(
    a_connection_that_says_nothing_is_closed,
    a_head_that_trickles_in_is_cut_off,
    a_body_that_trickles_in_is_cut_off,
    an_idle_connection_is_closed_after_its_answer,
    a_half_closed_connection_still_gets_its_answer,
    a_connection_that_ends_within_a_body_harms_nobody,
    five_hundred_connections_at_once_are_all_served,
    slow_connections_do_not_hold_up_others,
    pipelined_requests_are_answered_in_order,
    garbage_after_a_request_ends_the_connection,
    connections_beyond_the_limit_wait_for_their_turn,
);

/// Short time-outs, so that the tests need not wait for the ordinary ones.
fn impatient(backend: Backend) -> NodeOptions {
    NodeOptions::on(backend)
        .set("server.header_timeout", "1s")
        .set("server.request_timeout", "1s")
}

/// Much longer than the time-outs above, much shorter than for ever.
const BOUND: Duration = Duration::from_secs(20);

fn token_request(client: &Client, connection: &str) -> String {
    let body = "grant_type=client_credentials";
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: {connection}\r\n\r\n{body}",
        client.basic(),
        body.len()
    )
}

async fn a_connection_that_says_nothing_is_closed(backend: Backend) {
    let node = impatient(backend).start().await;
    // The second might become either version of HTTP: nothing has been decided when it stops.
    for opening in ["", "P", "PRI * HTTP/2.0\r\n"] {
        let mut silent = Wire::to(node.place.address()).await;
        silent.send(opening).await;
        assert!(
            silent.read_to_end_within(BOUND).await.is_some(),
            "still open after {opening:?} and {BOUND:?}"
        );
    }
}

async fn a_head_that_trickles_in_is_cut_off(backend: Backend) {
    let node = impatient(backend).start().await;
    let mut slow = Wire::to(node.place.address()).await;
    slow.send("GET /health HTTP/1.1\r\nHost: x\r\n").await;
    // One header every 200 ms: there is always progress, and never an end.
    let trickle = async {
        loop {
            slow.send("X-Slow: a\r\n").await;
            if let Some(rest) = slow.read_to_end_within(Duration::from_millis(200)).await {
                return rest;
            }
        }
    };
    let rest = tokio::time::timeout(BOUND, trickle)
        .await
        .expect("the node loses patience");
    let text = String::from_utf8_lossy(&rest).into_owned();
    assert!(text.is_empty() || wire::status(&text) == Some(408), "{text}");
}

async fn a_body_that_trickles_in_is_cut_off(backend: Backend) {
    let node = impatient(backend).start().await;
    for framing in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let mut slow = Wire::to(node.place.address()).await;
        let head = "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        slow.send(format!("{head}{framing}\r\n\r\n")).await;
        let trickle = async {
            loop {
                slow.send(if framing.starts_with('C') { "a" } else { "1\r\na\r\n" })
                    .await;
                if let Some(rest) = slow.read_to_end_within(Duration::from_millis(200)).await {
                    return rest;
                }
            }
        };
        let rest = tokio::time::timeout(BOUND, trickle)
            .await
            .expect("the node loses patience");
        let text = String::from_utf8_lossy(&rest).into_owned();
        assert!(text.is_empty() || wire::status(&text) == Some(408), "{framing}: {text}");
    }
}

async fn an_idle_connection_is_closed_after_its_answer(backend: Backend) {
    let node = impatient(backend).start().await;
    let mut idle = Wire::to(node.place.address()).await;
    idle.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(idle.response().await.expect("an answer").0, 200);
    assert!(
        idle.read_to_end_within(BOUND).await.is_some(),
        "still open after {BOUND:?}"
    );
}

async fn a_half_closed_connection_still_gets_its_answer(backend: Backend) {
    let node = Node::start(backend).await;
    let mut wire = Wire::to(node.place.address()).await;
    wire.send(token_request(&node.admin, "close")).await;
    wire.finish_sending().await;
    let answer = String::from_utf8(wire.read_to_end().await).expect("text");
    assert_eq!(wire::status(&answer), Some(200), "{answer}");
    assert!(answer.contains("access_token"));
}

async fn a_connection_that_ends_within_a_body_harms_nobody(backend: Backend) {
    let node = Node::start(backend).await;
    for cut in [20, 60, 200] {
        let request = token_request(&node.admin, "close");
        let answer = wire::exchange(node.place.address(), &request[..cut.min(request.len() - 1)]).await;
        assert!(
            answer.is_empty() || wire::status(&answer).is_some_and(|status| (400..500).contains(&status)),
            "{cut}: {answer}"
        );
    }
    let request = token_request(&node.admin, "close");
    let answer = wire::exchange(node.place.address(), &request[..request.len() - 1]).await;
    assert_ne!(wire::status(&answer), Some(200), "half a body is no request: {answer}");
    node.check_it_works().await;
}

async fn five_hundred_connections_at_once_are_all_served(backend: Backend) {
    const COUNT: usize = 500;
    let node = Node::start(backend).await;
    // All are open before the first one asks.
    let mut wires = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        wires.push(Wire::to(node.place.address()).await);
    }
    let request = token_request(&node.admin, "keep-alive");
    let mut tasks = tokio::task::JoinSet::new();
    for mut wire in wires {
        let request = request.clone();
        tasks.spawn(async move {
            wire.send(&request).await;
            wire.response().await
        });
    }
    let answers = tasks.join_all().await;
    let served = answers
        .iter()
        .filter(|answer| answer.as_ref().is_some_and(|(status, _)| *status == 200))
        .count();
    let other = answers
        .iter()
        .find(|answer| answer.as_ref().is_none_or(|(status, _)| *status != 200));
    assert_eq!(served, COUNT, "for instance {other:?}");
}

async fn slow_connections_do_not_hold_up_others(backend: Backend) {
    let node = Node::start(backend).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut wire = Wire::to(node.place.address()).await;
        wire.send("POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ngrant")
            .await;
        slow.push(wire);
    }
    for _ in 0..20 {
        let _ = node.token(&node.admin, "").await;
    }
    drop(slow);
    node.check_it_works().await;
}

async fn pipelined_requests_are_answered_in_order(backend: Backend) {
    let node = Node::start(backend).await;
    let first = "GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: first\r\n\r\n";
    let second = token_request(&node.admin, "keep-alive").replacen("Host: x", "Host: x\r\nX-Request-Id: second", 1);
    let third = "GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: third\r\nConnection: close\r\n\r\n";
    let answers = wire::exchange(node.place.address(), format!("{first}{second}{third}"))
        .await
        .to_ascii_lowercase();
    let places: Vec<Option<usize>> = ["first", "second", "third"]
        .iter()
        .map(|id| answers.find(&format!("x-request-id: {id}")))
        .collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{answers}");
}

async fn garbage_after_a_request_ends_the_connection(backend: Backend) {
    let node = Node::start(backend).await;
    let mut wire = Wire::to(node.place.address()).await;
    let request = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    wire.send(format!("{request}\0\x01garbage\r\n\r\n{request}")).await;
    let answers = String::from_utf8_lossy(&wire.read_to_end().await).into_owned();
    assert_eq!(
        answers.matches("HTTP/1.1 200").count(),
        1,
        "what follows garbage is not looked at: {answers}"
    );
    node.check_it_works().await;
}

async fn connections_beyond_the_limit_wait_for_their_turn(backend: Backend) {
    let node = NodeOptions::on(backend).set("server.connections_max", 4).start().await;
    let request = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut wire = Wire::to(node.place.address()).await;
        wire.send(request).await;
        assert_eq!(wire.response().await.expect("an answer").0, 200);
        open.push(wire);
    }
    let mut fifth = Wire::to(node.place.address()).await;
    fifth.send(request).await;
    drop(open.pop());
    assert_eq!(fifth.response().await.expect("an answer, once another has left").0, 200);
}
