//! Time and size are bounded, whatever the server does.

use std::time::Duration;

use sdk::{Client, Error, MalformedResponse, RetryPolicy, TokenRequest, TransportFailure};

use crate::{AGENT, Answer, ManualClock, SECRET, Server, client};

const LIMIT: usize = 1024 * 1024;

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() {
    let server = Server::start(|_, _| {
        Answer::Bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", LIMIT + 1).into_bytes())
    })
    .await;
    let error = client(&server, &ManualClock::new()).jwks().await.expect_err("too much");
    assert_eq!(error, MalformedResponse::TooLarge { limit: LIMIT }.into());
}

#[tokio::test]
async fn an_answer_that_grows_too_much_is_cut_off() {
    let server = Server::start(|_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..17 {
            bytes.extend_from_slice(b"10000\r\n");
            bytes.resize(bytes.len() + 0x10000, b' ');
            bytes.extend_from_slice(b"\r\n");
        }
        Answer::Bytes(bytes)
    })
    .await;
    let error = client(&server, &ManualClock::new()).jwks().await.expect_err("too much");
    assert_eq!(error, MalformedResponse::TooLarge { limit: LIMIT }.into());
}

#[tokio::test]
async fn the_largest_answer_that_is_allowed_is_read() {
    let server = Server::start(|_, _| {
        let json = r#"{"keys":[]}"#;
        Answer::json(200, &format!("{json}{}", " ".repeat(LIMIT - json.len())))
    })
    .await;
    assert!(
        client(&server, &ManualClock::new())
            .jwks()
            .await
            .expect("keys")
            .keys
            .is_empty()
    );
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for_for_ever() {
    let server = Server::start(|_, _| Answer::Silence).await;
    let client = Client::builder(server.address())
        .credentials(AGENT, SECRET)
        .timeout(Duration::from_millis(50))
        .retries(RetryPolicy::NEVER)
        .build()
        .expect("a client");
    let error = client
        .tokens()
        .issue(&TokenRequest::new())
        .await
        .err()
        .expect("silence");
    assert!(
        matches!(&error, Error::Transport(error) if error.failure == TransportFailure::Timeout),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_is_not_waited_for_for_ever() {
    let server =
        Server::start(|_, _| Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"keys\":".to_vec())).await;
    let client = Client::builder(server.address())
        .timeout(Duration::from_millis(50))
        .retries(RetryPolicy::NEVER)
        .build()
        .expect("a client");
    let error = client.jwks().await.expect_err("half an answer");
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
}
