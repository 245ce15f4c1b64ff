//! Tokens are kept, renewed in time, and fetched by one call for all.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use sdk::{AgentFilter, Error, Paging};
use tokio::sync::Notify;

use crate::{Answer, ManualClock, Server, client, empty_page, token};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_token_is_kept_until_four_fifths_of_its_lifetime_are_over() {
    let server = Server::start(|_, before| token(before)).await;
    let clock = ManualClock::new();
    let client = client(&server, &clock);
    let token = async || {
        client
            .access_token(&["agents:read"])
            .await
            .expect("a token")
            .expose()
            .to_owned()
    };

    assert_eq!(token().await, "token-0");
    clock.advance(799 * SECOND);
    assert_eq!(token().await, "token-0");
    clock.advance(SECOND);
    assert_eq!(token().await, "token-1");
    clock.advance(10_000 * SECOND);
    assert_eq!(token().await, "token-2");
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn each_set_of_scopes_has_its_own_token() {
    let server = Server::start(|_, before| token(before)).await;
    let client = client(&server, &ManualClock::new());
    for _ in 0..2 {
        client.access_token(&["agents:read"]).await.expect("a token");
        client
            .access_token(&["agents:read", "agents:write"])
            .await
            .expect("a token");
        client.access_token(&[]).await.expect("a token");
    }
    let bodies: Vec<String> = server.received().into_iter().map(|request| request.body).collect();
    assert_eq!(
        bodies,
        [
            "grant_type=client_credentials&scope=agents%3Aread",
            "grant_type=client_credentials&scope=agents%3Aread+agents%3Awrite",
            "grant_type=client_credentials",
        ]
    );
}

#[tokio::test]
async fn the_number_of_kept_tokens_is_bounded() {
    let server = Server::start(|_, before| token(before)).await;
    let client = client(&server, &ManualClock::new());
    for number in 0..33 {
        client
            .access_token(&[&format!("scope{number:02}")])
            .await
            .expect("a token");
    }
    client.access_token(&["scope32"]).await.expect("a token");
    assert_eq!(server.received().len(), 33, "the newest is kept");
    client.access_token(&["scope00"]).await.expect("a token");
    assert_eq!(server.received().len(), 34, "the one that made room is fetched again");
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_request() {
    let server = Server::start(|_, before| token(before)).await;
    let client = client(&server, &ManualClock::new());
    let tokens = join_all((0..50).map(|_| client.access_token(&[]))).await;
    assert!(
        tokens
            .iter()
            .all(|token| token.as_ref().is_ok_and(|token| token.expose() == "token-0"))
    );
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_failure_and_later_ones_try_again() {
    let server = Server::start(|_, before| match before {
        0 => Answer::json(401, r#"{"error":"invalid_client","error_description":"no"}"#),
        _ => token(before),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let results = join_all((0..20).map(|_| client.access_token(&[]))).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(Error::OAuth { error, .. }) if error == "invalid_client"))
    );
    assert_eq!(server.received().len(), 1);
    assert!(client.access_token(&[]).await.is_ok());
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_take_the_others_with_it() {
    let arrived = Arc::new(Notify::new());
    let signal = arrived.clone();
    let server = Server::start(move |_, before| {
        signal.notify_one();
        if before == 0 { Answer::Silence } else { token(before) }
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let mut first = Box::pin(client.access_token(&[]));
    let mut second = Box::pin(client.access_token(&[]));
    // The first is the one that asks the server; the second waits for it.
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    tokio::select! {
        _ = &mut first => panic!("the server is silent"),
        () = arrived.notified() => {}
    }
    drop(first);
    assert_eq!(second.await.expect("a token").expose(), "token-1");
}

#[tokio::test]
async fn a_good_token_outlives_a_failed_renewal_and_the_server_is_left_alone_for_a_while() {
    let server = Server::start(|_, before| match before {
        0 => token(0),
        _ => Answer::HangUp,
    })
    .await;
    let clock = ManualClock::new();
    let client = sdk::Client::builder(server.address())
        .credentials("a", "s")
        .clock(clock.clone())
        .retries(sdk::RetryPolicy::NEVER)
        .build()
        .expect("a client");
    let token = async || client.access_token(&[]).await.map(|token| token.expose().to_owned());

    assert_eq!(token().await.as_deref(), Ok("token-0"));
    clock.advance(900 * SECOND);
    for _ in 0..10 {
        assert_eq!(token().await.as_deref(), Ok("token-0"));
    }
    assert_eq!(server.received().len(), 2, "one try to renew");
    clock.advance(6 * SECOND);
    assert_eq!(token().await.as_deref(), Ok("token-0"));
    assert_eq!(server.received().len(), 3, "and one more after the pause");
    clock.advance(50 * SECOND);
    assert!(
        matches!(token().await, Err(Error::Transport(_))),
        "a token that is nearly dead is not given out"
    );
}

#[tokio::test]
async fn a_renewal_that_is_refused_is_told() {
    let server = Server::start(|_, before| match before {
        0 => token(0),
        _ => Answer::json(
            403,
            r#"{"error":"unauthorized_client","error_description":"suspended"}"#,
        ),
    })
    .await;
    let clock = ManualClock::new();
    let client = client(&server, &clock);
    client.access_token(&[]).await.expect("a token");
    clock.advance(900 * SECOND);
    let error = client.access_token(&[]).await.err().expect("a refusal");
    assert_eq!(error.code(), Some("unauthorized_client"));
}

fn refused_token() -> Answer {
    let challenge = "Bearer realm=\"agentidp\", error=\"invalid_token\"";
    Answer::with(
        401,
        &[("www-authenticate", challenge)],
        r#"{"code":"INVALID_TOKEN","message":"take a new one"}"#,
    )
}

#[tokio::test]
async fn a_token_that_the_server_refuses_is_replaced_once() {
    let server = Server::start(
        |request, before| match (request.target.as_str(), request.header("authorization")) {
            ("/oauth2/token", _) => token(before),
            (_, Some("Bearer token-1")) => empty_page(),
            _ => refused_token(),
        },
    )
    .await;
    let client = client(&server, &ManualClock::new());
    let page = client
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await
        .expect("a page");
    assert_eq!(page.total, 0);
    client
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await
        .expect("a page");
    assert_eq!(server.received_at("/oauth2/token").len(), 2);
    assert_eq!(server.received_at("/api/v1/agents").len(), 3);
}

#[tokio::test]
async fn a_server_that_refuses_every_token_is_asked_twice_and_not_for_ever() {
    let server = Server::start(|request, before| match request.target.as_str() {
        "/oauth2/token" => token(before),
        _ => refused_token(),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let error = client
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await
        .expect_err("refused");
    assert_eq!((error.status(), error.code()), (Some(401), Some("INVALID_TOKEN")));
    assert_eq!(server.received_at("/oauth2/token").len(), 2);
    assert_eq!(server.received_at("/api/v1/agents").len(), 2);
}

#[tokio::test]
async fn a_refusal_that_is_not_the_tokens_fault_costs_no_token() {
    let server = Server::start(|request, before| match request.target.as_str() {
        "/oauth2/token" => token(before),
        _ => Answer::with(
            401,
            &[("www-authenticate", "Bearer realm=\"x\"")],
            r#"{"code":"UNAUTHORIZED","message":"m"}"#,
        ),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    client
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await
        .expect_err("refused");
    assert_eq!(server.received_at("/oauth2/token").len(), 1);
    assert_eq!(server.received_at("/api/v1/agents").len(), 1);
}
