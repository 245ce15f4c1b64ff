//! What is tried again, how often, and after which wait.

use std::time::Duration;

use sdk::{
    AgentFilter, AgentId, AgentPatch, AgentStatus, Client, ETag, Error, NewCredential, Paging, Secret, TransportFailure,
};

use crate::{AGENT, Answer, ManualClock, SECRET, Server, client, empty_page, token};

fn busy(retry_after: &str) -> Answer {
    let body = r#"{"code":"SERVICE_UNAVAILABLE","message":"try again","details":{}}"#;
    Answer::with(503, &[("retry-after", retry_after), ("x-request-id", "r-1")], body)
}

fn agent() -> AgentId {
    AGENT.parse().expect("a UUID")
}

/// A server that is busy for the first `times` requests to anything but the token endpoint.
async fn busy_server(times: usize, retry_after: &'static str, then: fn() -> Answer) -> Server {
    Server::start(move |request, before| match request.target.as_str() {
        "/oauth2/token" => token(before),
        _ if before < times => busy(retry_after),
        _ => then(),
    })
    .await
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_said() {
    let server = busy_server(2, "3", empty_page).await;
    let clock = ManualClock::new();
    let result = client(&server, &clock)
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await;
    assert!(result.is_ok());
    let waits = clock.waits();
    assert_eq!(waits.len(), 2);
    let asked = Duration::from_secs(3);
    assert!(
        waits
            .iter()
            .all(|wait| *wait >= asked && *wait <= asked + Duration::from_millis(100)),
        "{waits:?}"
    );
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up_on() {
    let server = busy_server(usize::MAX, "1", empty_page).await;
    let clock = ManualClock::new();
    let error = client(&server, &clock)
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await
        .expect_err("busy");
    let expected = Error::RetryAfter {
        status: 503,
        code: "SERVICE_UNAVAILABLE".to_owned(),
        after: Some(Duration::from_secs(1)),
        message: "try again".to_owned(),
        request_id: Some("r-1".to_owned()),
    };
    assert_eq!(error, expected);
    assert_eq!(server.received_at("/api/v1/agents").len(), 4);
}

#[tokio::test]
async fn a_server_that_wants_a_long_rest_is_not_waited_for() {
    let server = busy_server(usize::MAX, "3600", empty_page).await;
    let clock = ManualClock::new();
    let error = client(&server, &clock)
        .agents()
        .list(&AgentFilter::default(), Paging::default())
        .await
        .expect_err("busy");
    assert!(matches!(error, Error::RetryAfter { after: Some(after), .. } if after.as_secs() == 3600));
    assert!(clock.waits().is_empty());
}

#[tokio::test]
async fn without_an_hour_named_the_waits_grow() {
    let server = Server::start(|_, before| {
        if before < 3 {
            Answer::json(502, "<html>")
        } else {
            token(9)
        }
    })
    .await;
    let clock = ManualClock::new();
    client(&server, &clock).access_token(&[]).await.expect("a token");
    let waits: Vec<u128> = clock.waits().iter().map(Duration::as_millis).collect();
    let bounds = [50..=100, 100..=200, 200..=400];
    assert_eq!(waits.len(), bounds.len());
    assert!(
        waits.iter().zip(bounds).all(|(wait, bound)| bound.contains(wait)),
        "{waits:?}"
    );
}

#[tokio::test]
async fn what_would_be_done_twice_is_not_repeated() {
    let server = busy_server(usize::MAX, "1", empty_page).await;
    let clock = ManualClock::new();
    let client = client(&server, &clock);
    client
        .credentials(agent())
        .generate(&NewCredential::default())
        .await
        .err()
        .expect("busy");
    let etag = ETag::parse("7").expect("an etag");
    client
        .agents()
        .update(agent(), &AgentPatch::status(AgentStatus::Suspended), Some(&etag))
        .await
        .expect_err("busy");
    client
        .agents()
        .decommission(agent(), Some(&etag))
        .await
        .expect_err("busy");
    assert_eq!(
        server
            .received()
            .iter()
            .filter(|request| request.target != "/oauth2/token")
            .count(),
        3
    );
    assert!(clock.waits().is_empty());
}

#[tokio::test]
async fn a_suspension_is_repeated_since_twice_is_like_once() {
    let server = busy_server(usize::MAX, "1", empty_page).await;
    let client = client(&server, &ManualClock::new());
    client
        .agents()
        .update(agent(), &AgentPatch::status(AgentStatus::Suspended), None)
        .await
        .expect_err("busy");
    assert_eq!(server.received_at(&format!("/api/v1/agents/{AGENT}")).len(), 4);
}

#[tokio::test]
async fn a_revocation_whose_answer_was_lost_is_a_success_the_second_time() {
    let already = || Answer::json(409, r#"{"code":"AGENT_ALREADY_DECOMMISSIONED","message":"m"}"#);
    for (lost, is_done) in [(true, true), (false, false)] {
        let server = Server::start(move |request, before| match request.target.as_str() {
            "/oauth2/token" => token(before),
            _ if lost && before == 0 => Answer::HangUp,
            _ => already(),
        })
        .await;
        let result = client(&server, &ManualClock::new())
            .agents()
            .decommission(agent(), None)
            .await;
        assert_eq!(result.is_ok(), is_done, "{result:?}");
    }
}

#[tokio::test]
async fn being_turned_away_at_the_door_does_not_count_as_done() {
    let server = Server::start(|request, before| match request.target.as_str() {
        "/oauth2/token" => token(before),
        _ if before == 0 => Answer::with(
            429,
            &[("retry-after", "1")],
            r#"{"code":"RATE_LIMIT_EXCEEDED","message":"m"}"#,
        ),
        _ => Answer::json(409, r#"{"code":"CREDENTIAL_ALREADY_REVOKED","message":"m"}"#),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let result = client.credentials(agent()).revoke(AGENT.parse().expect("a UUID")).await;
    assert_eq!(
        result.expect_err("revoked by somebody else").code(),
        Some("CREDENTIAL_ALREADY_REVOKED")
    );
}

#[tokio::test]
async fn a_lost_connection_is_tried_again_where_twice_is_like_once() {
    let server = Server::start(|_, before| match before {
        0 => Answer::HangUp,
        _ => Answer::json(200, r#"{"active":false}"#),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let answer = client.tokens().introspect(&Secret::new("t")).await.expect("an answer");
    assert!(!answer.active);
}

#[tokio::test]
async fn without_a_connection_everything_is_tried_again() {
    // The port was free a moment ago, and nobody listens there.
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let clock = ManualClock::new();
    let client = Client::builder(&address)
        .credentials(AGENT, SECRET)
        .clock(clock.clone())
        .build()
        .expect("a client");
    let error = client.access_token(&[]).await.err().expect("nobody is there");
    assert!(
        matches!(&error, Error::Transport(error) if error.failure == TransportFailure::Connect),
        "{error:?}"
    );
    assert_eq!(clock.waits().len(), 3);
    assert!(error.to_string().contains("can't be reached"), "{error}");
}

#[tokio::test]
async fn a_sick_node_is_an_answer_and_not_a_reason_to_ask_again() {
    let server =
        Server::start(|_, _| Answer::json(503, r#"{"status":"unreachable","checks":{"store":"unreachable"}}"#)).await;
    let clock = ManualClock::new();
    let report = client(&server, &clock).health().detailed().await.expect("an answer");
    assert_eq!(
        (report.is_healthy(), report.http_status, report.status.as_str()),
        (false, 503, "unreachable")
    );
    assert_eq!(report.checks["store"], "unreachable");
    assert_eq!(server.received().len(), 1);
}
