//! Refusals and nonsense become the right errors.

use sdk::{AgentFilter, AgentId, Client, Error, FieldError, MalformedResponse, Misconfiguration, Paging, TokenRequest};

use crate::{AGENT, Answer, ManualClock, Server, client, token};

/// What listing agents leads to when the server answers so.
async fn refusal(answer: fn() -> Answer) -> Error {
    let server = Server::start(move |request, before| {
        if request.target == "/oauth2/token" {
            token(before)
        } else {
            answer()
        }
    })
    .await;
    let client = client(&server, &ManualClock::new());
    client
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await
        .expect_err("a refusal")
}

#[tokio::test]
async fn a_management_error_keeps_all_that_it_says() {
    let error = refusal(|| {
        let body = r#"{"code":"VALIDATION_ERROR","message":"two fields","details":{"fields":[
            {"field":"email","reason":"must be one"},{"field":"version","reason":"must be semantic"}]}}"#;
        Answer::with(400, &[("x-request-id", "0192-ab")], body)
    })
    .await;
    let field = |field: &str, reason: &str| FieldError {
        field: field.to_owned(),
        reason: reason.to_owned(),
    };
    let expected = Error::Api {
        status: 400,
        code: "VALIDATION_ERROR".to_owned(),
        message: "two fields".to_owned(),
        fields: vec![field("email", "must be one"), field("version", "must be semantic")],
        request_id: Some("0192-ab".to_owned()),
    };
    assert_eq!(error, expected);
    assert_eq!(error.request_id(), Some("0192-ab"));
    assert!(!error.is_transient());
}

#[tokio::test]
async fn an_oauth_error_keeps_its_code_and_sentence() {
    let server =
        Server::start(|_, _| Answer::json(400, r#"{"error":"invalid_scope","error_description":"too much"}"#)).await;
    let error = client(&server, &ManualClock::new())
        .tokens()
        .issue(&TokenRequest::new())
        .await
        .err()
        .expect("a refusal");
    let expected = Error::OAuth {
        status: 400,
        error: "invalid_scope".to_owned(),
        description: "too much".to_owned(),
        request_id: None,
    };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn an_oauth_endpoint_that_is_busy_says_so_in_its_own_words() {
    let server = Server::start(|_, _| {
        Answer::with(
            429,
            &[("retry-after", "60")],
            r#"{"error":"slow_down","error_description":"too many requests"}"#,
        )
    })
    .await;
    let error = client(&server, &ManualClock::new())
        .tokens()
        .issue(&TokenRequest::new())
        .await
        .err()
        .expect("a refusal");
    assert_eq!(
        (error.status(), error.code(), error.is_transient()),
        (Some(429), Some("slow_down"), true)
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_carries_no_secret_away() {
    let elsewhere = Server::start(|_, _| token(0)).await;
    let location = elsewhere.address().to_owned();
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let server = Server::start(move |_, _| Answer::with(status, &[("location", &location)], "")).await;
        let error = client(&server, &ManualClock::new())
            .access_token(&[])
            .await
            .err()
            .expect("a refusal");
        assert_eq!(error, MalformedResponse::Redirect { status }.into());
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_told_without_being_repeated() {
    for body in [
        "",
        "<html>sk_live_secret</html>",
        r#"{"data":"sk_live_secret"}"#,
        r#"{"data":[],"total":-1}"#,
        "[1",
    ] {
        let server = Server::start(move |request, before| match request.target.as_str() {
            "/oauth2/token" => token(before),
            _ => Answer::json(200, body),
        })
        .await;
        let client = client(&server, &ManualClock::new());
        let error = client
            .agents()
            .list(&AgentFilter::default(), Paging::default())
            .await
            .expect_err("nonsense");
        assert!(
            matches!(error, Error::Malformed(MalformedResponse::Json { status: 200, .. })),
            "{body:?}: {error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("sk_live"), "{error:?}");
    }
}

#[tokio::test]
async fn a_failure_without_an_explanation_keeps_its_status() {
    let error = refusal(|| Answer::with(500, &[("x-request-id", "r")], "<html>")).await;
    assert_eq!(
        error,
        MalformedResponse::Status {
            status: 500,
            request_id: Some("r".to_owned())
        }
        .into()
    );
}

#[tokio::test]
async fn metadata_of_another_issuer_are_refused() {
    let server = Server::start(|_, _| {
        Answer::json(200, r#"{"issuer":"https://evil.example","token_endpoint":"https://evil.example/t","jwks_uri":"https://evil.example/j"}"#)
    })
    .await;
    let error = client(&server, &ManualClock::new())
        .discover()
        .await
        .expect_err("somebody else");
    assert_eq!(
        error,
        MalformedResponse::Issuer {
            found: "https://evil.example".to_owned()
        }
        .into()
    );
}

#[tokio::test]
async fn a_client_without_credentials_says_so_and_sends_nothing() {
    let server = Server::start(|_, _| token(0)).await;
    let client = Client::builder(server.address()).build().expect("a client");
    let agent: AgentId = AGENT.parse().expect("a UUID");
    assert_eq!(
        client.agents().get(agent).await.expect_err("nobody"),
        Misconfiguration::NoCredentials.into()
    );
    assert!(server.received().is_empty());
}

#[test]
fn secrets_do_not_travel_in_the_clear_unless_allowed() {
    let build = |client: sdk::ClientBuilder| client.credentials("a", "s").build().err();
    assert_eq!(
        build(Client::builder("http://idp.example")),
        Some(Misconfiguration::PlainHttp.into())
    );
    assert_eq!(build(Client::builder("http://idp.example").allow_plain_http()), None);
    assert_eq!(
        build(Client::builder("idp.example")),
        Some(Misconfiguration::Issuer.into())
    );
    assert_eq!(build(Client::builder("https://idp.example")), None);
}

#[test]
fn certificates_that_are_none_are_refused() {
    let error = Client::builder("https://idp.example")
        .trust_certificates("not PEM")
        .build()
        .err();
    assert!(
        matches!(error, Some(Error::Misconfigured(Misconfiguration::Certificates(_)))),
        "{error:?}"
    );
}
