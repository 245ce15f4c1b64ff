//! Each call takes a token with the least that it needs, unless the client was told which scopes to use.

use sdk::{AgentId, AuditFilter, Client, CredentialId, Paging};

use crate::{AGENT, Answer, ManualClock, OTHER_AGENT, SECRET, Server, client, empty_page, token};

async fn server() -> Server {
    Server::start(|request, before| {
        if request.target == "/oauth2/token" {
            token(before)
        } else {
            empty_page()
        }
    })
    .await
}

fn scopes_asked(server: &Server) -> Vec<String> {
    let bodies = server
        .received_at("/oauth2/token")
        .into_iter()
        .map(|request| request.body);
    bodies
        .map(|body| {
            body.replace("grant_type=client_credentials&scope=", "")
                .replace("%3A", ":")
        })
        .collect()
}

#[tokio::test]
async fn each_call_asks_for_the_least() {
    let server = server().await;
    let client = client(&server, &ManualClock::new());
    let (own, other): (AgentId, AgentId) = (AGENT.parse().expect("a UUID"), OTHER_AGENT.parse().expect("a UUID"));
    let credential: CredentialId = AGENT.parse().expect("a UUID");
    client
        .audit()
        .list(&AuditFilter::default(), Paging::default())
        .await
        .expect("a page");
    client
        .credentials(other)
        .list(None, Paging::default())
        .await
        .expect("a page");
    client.credentials(own).revoke(credential).await.expect("done");
    client.credentials(other).revoke(credential).await.expect("done");
    assert_eq!(
        scopes_asked(&server),
        ["audit:read", "agents:read", "agents:write", "agents:write+admin:orgs"]
    );
}

#[tokio::test]
async fn a_client_with_scopes_of_its_own_uses_one_token_for_all() {
    let server = server().await;
    let client = Client::builder(server.address())
        .credentials(AGENT, SECRET)
        .scopes(&["agents:read", "audit:read"])
        .build()
        .expect("a client");
    client
        .audit()
        .list(&AuditFilter::default(), Paging::default())
        .await
        .expect("a page");
    client
        .credentials(AGENT.parse().expect("a UUID"))
        .list(None, Paging::default())
        .await
        .expect("a page");
    assert_eq!(scopes_asked(&server), ["agents:read+audit:read"]);
}

#[tokio::test]
async fn a_client_prints_without_its_secret() {
    let server = server().await;
    let text = format!("{:?}", client(&server, &ManualClock::new()));
    assert!(text.contains(AGENT) && text.contains(server.address()), "{text}");
    assert!(!text.contains(SECRET) && !text.contains("Basic"), "{text}");
}

/// What a server says whose call needs more than the token holds.
fn needs_more() -> Answer {
    let challenge = "Bearer realm=\"agentidp\", error=\"insufficient_scope\", scope=\"agents:write admin:orgs\"";
    let headers = [("content-type", "application/json"), ("www-authenticate", challenge)];
    Answer::with(
        403,
        &headers,
        r#"{"code":"INSUFFICIENT_SCOPE","message":"more","details":{}}"#,
    )
}

#[tokio::test]
async fn a_call_that_needs_more_is_sent_once_more_with_a_token_that_holds_it() {
    let server = Server::start(|request, before| match request.target.as_str() {
        "/oauth2/token" => token(before),
        _ if before == 0 => needs_more(),
        _ => Answer::json(204, ""),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let own: AgentId = AGENT.parse().expect("a UUID");
    let credential: CredentialId = AGENT.parse().expect("a UUID");
    client.credentials(own).revoke(credential).await.expect("done");
    assert_eq!(scopes_asked(&server), ["agents:write", "agents:write+admin:orgs"]);
}

#[tokio::test]
async fn a_client_that_may_not_have_more_is_told_what_was_missing() {
    let server = Server::start(|request, before| match request.target.as_str() {
        "/oauth2/token" if request.body.contains("admin") => Answer::json(400, r#"{"error":"invalid_scope"}"#),
        "/oauth2/token" => token(before),
        _ => needs_more(),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let own: AgentId = AGENT.parse().expect("a UUID");
    let credential: CredentialId = AGENT.parse().expect("a UUID");
    let refused = client.credentials(own).revoke(credential).await.expect_err("refused");
    assert_eq!(refused.code(), Some("INSUFFICIENT_SCOPE"));
}
