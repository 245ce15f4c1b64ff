//! Every call sends what the REST contract names, and reads what it answers.

use sdk::{
    Agent, AgentFilter, AgentId, AgentPatch, AgentStatus, AgentType, AuditFilter, Client, CredentialId,
    CredentialStatus, DeploymentEnv, ETag, EventId, NewAgent, NewCredential, Outcome, Paging, RotateCredential, Secret,
    Timestamp, TokenRequest,
};

use crate::server::Received;
use crate::{AGENT, Answer, ManualClock, Server, client, empty_page, token};

const AGENT_JSON: &str = r#"{"agentId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d","organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6f",
    "email":"a@b.example","agentType":"screener","version":"1.0.0","capabilities":["resume:read"],"owner":"team","deploymentEnv":"staging",
    "status":"active","isPublic":false,"did":null,"createdAt":"2026-01-31T12:00:00.000Z","updatedAt":"2026-01-31T12:00:00.000Z"}"#;
const CREDENTIAL_JSON: &str = r#"{"credentialId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c70","clientId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d",
    "status":"active","createdAt":"2026-01-31T12:00:00.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"clientSecret":"sk_live_new"}"#;
const EVENT_JSON: &str = r#"{"eventId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c71","sequence":1,"organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6f",
    "agentId":null,"action":"auth.failed","outcome":"failure","ipAddress":"127.0.0.1","userAgent":"x","metadata":{},
    "timestamp":"2026-01-31T12:00:00.000Z","previousHash":"00","hash":"01"}"#;

/// A server that answers everything with one body, and a client of it.
async fn serving(answer: fn() -> Answer) -> (Server, Client) {
    let server = Server::start(move |request, before| {
        if request.target == "/oauth2/token" {
            token(before)
        } else {
            answer()
        }
    })
    .await;
    let client = client(&server, &ManualClock::new());
    (server, client)
}

/// The one request that was not for a token.
fn sent(server: &Server) -> Received {
    let requests: Vec<Received> = server
        .received()
        .into_iter()
        .filter(|request| request.target != "/oauth2/token")
        .collect();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.into_iter().next().expect("there is one")
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

fn agent_id() -> AgentId {
    AGENT.parse().expect("a UUID")
}

fn agent_answer() -> Answer {
    Answer::with(200, &[("etag", "\"3\"")], AGENT_JSON)
}

#[tokio::test]
async fn registering() {
    let (server, client) = serving(|| Answer::with(201, &[("etag", "\"1\"")], AGENT_JSON)).await;
    let new = NewAgent {
        email: "a@b.example".to_owned(),
        agent_type: AgentType::Screener,
        version: "1.0.0".to_owned(),
        capabilities: vec!["resume:read".to_owned()],
        owner: "team".to_owned(),
        deployment_env: DeploymentEnv::Staging,
        is_public: false,
    };
    let agent = client.agents().register(&new).await.expect("registered");
    assert_eq!(
        (agent.agent_id, agent.etag.as_ref().map(ETag::as_str)),
        (agent_id(), Some("\"1\""))
    );
    let request = sent(&server);
    assert_eq!(request.line(), "POST /api/v1/agents");
    assert_eq!(request.header("authorization"), Some("Bearer token-0"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let expected = r#"{"email":"a@b.example","agentType":"screener","version":"1.0.0","capabilities":["resume:read"],
        "owner":"team","deploymentEnv":"staging","isPublic":false}"#;
    assert_eq!(json(&request.body), json(expected));
}

#[tokio::test]
async fn listing_agents() {
    let (server, client) = serving(|| {
        Answer::json(
            200,
            &format!(r#"{{"data":[{AGENT_JSON}],"total":41,"page":2,"limit":20}}"#),
        )
    })
    .await;
    let filter = AgentFilter {
        status: Some(AgentStatus::Active),
        agent_type: Some(AgentType::Screener),
        owner: Some("a & b".to_owned()),
        deployment_env: Some(DeploymentEnv::Production),
        q: Some("ré".to_owned()),
    };
    let page = client
        .agents()
        .list(&filter, Paging::page(2, 20))
        .await
        .expect("a page");
    assert_eq!(
        (page.data.len(), page.total, page.next()),
        (1, 41, Some(Paging::page(3, 20)))
    );
    let expected = "GET /api/v1/agents?status=active&agentType=screener&owner=a+%26+b&deploymentEnv=production&q=r%C3%A9&page=2&limit=20";
    assert_eq!(sent(&server).line(), expected);
}

#[tokio::test]
async fn reading_and_changing_an_agent() {
    let (server, client) = serving(agent_answer).await;
    let agent = client.agents().get(agent_id()).await.expect("an agent");
    assert_eq!(
        agent.value,
        serde_json::from_str::<Agent>(AGENT_JSON).expect("an agent")
    );
    assert_eq!(sent(&server).line(), format!("GET /api/v1/agents/{AGENT}"));

    let (server, client) = serving(agent_answer).await;
    let patch = AgentPatch::status(AgentStatus::Suspended);
    client
        .agents()
        .update(agent_id(), &patch, agent.etag.as_ref())
        .await
        .expect("changed");
    let request = sent(&server);
    assert_eq!(request.line(), format!("PATCH /api/v1/agents/{AGENT}"));
    assert_eq!(
        (request.header("if-match"), request.body.as_str()),
        (Some("\"3\""), r#"{"status":"suspended"}"#)
    );

    let (server, client) = serving(|| Answer::with(204, &[], "")).await;
    client.agents().decommission(agent_id(), None).await.expect("done");
    let request = sent(&server);
    assert_eq!(
        (request.line(), request.header("if-match")),
        (format!("DELETE /api/v1/agents/{AGENT}"), None)
    );
}

#[tokio::test]
async fn credentials() {
    let id: CredentialId = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c70".parse().expect("a UUID");
    let path = format!("/api/v1/agents/{AGENT}/credentials");

    let (server, client) = serving(|| Answer::json(201, CREDENTIAL_JSON)).await;
    let new = NewCredential {
        expires_at: Some(Timestamp::from_millis(0)),
        scopes: Some(vec!["agents:read".to_owned()]),
    };
    let issued = client
        .credentials(agent_id())
        .generate(&new)
        .await
        .expect("a credential");
    assert_eq!(
        (issued.client_secret.expose(), issued.credential.credential_id),
        ("sk_live_new", id)
    );
    let request = sent(&server);
    assert_eq!(request.line(), format!("POST {path}"));
    assert_eq!(
        json(&request.body),
        json(r#"{"expiresAt":"1970-01-01T00:00:00.000Z","scopes":["agents:read"]}"#)
    );

    let (server, client) = serving(|| Answer::json(200, CREDENTIAL_JSON)).await;
    let rotation = RotateCredential {
        expires_at: None,
        overlap_seconds: Some(60),
    };
    client
        .credentials(agent_id())
        .rotate(id, &rotation)
        .await
        .expect("rotated");
    let request = sent(&server);
    assert_eq!(
        (request.line(), request.body),
        (
            format!("POST {path}/{id}/rotate"),
            r#"{"overlapSeconds":60}"#.to_owned()
        )
    );

    let (server, client) = serving(empty_page).await;
    client
        .credentials(agent_id())
        .list(Some(CredentialStatus::Revoked), Paging::first(5))
        .await
        .expect("a page");
    assert_eq!(sent(&server).line(), format!("GET {path}?status=revoked&limit=5"));

    let (server, client) = serving(|| Answer::with(204, &[], "")).await;
    client.credentials(agent_id()).revoke(id).await.expect("done");
    assert_eq!(sent(&server).line(), format!("DELETE {path}/{id}"));
}

#[tokio::test]
async fn tokens() {
    let server = Server::start(|_, _| {
        Answer::json(
            200,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":60,"scope":"openid","id_token":"i"}"#,
        )
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let request = TokenRequest::new()
        .scope("openid")
        .resource("https://api.example")
        .nonce("n");
    let issued = client.tokens().issue(&request).await.expect("a token");
    assert_eq!(
        (
            issued.access_token.expose(),
            issued.id_token.as_ref().map(Secret::expose)
        ),
        ("t", Some("i"))
    );
    let request = server.received().remove(0);
    assert_eq!(
        request.body,
        "grant_type=client_credentials&scope=openid&nonce=n&resource=https%3A%2F%2Fapi.example"
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let basic = "Basic MDE5OTNjNGUtNWQ2Zi03YThiLTljMGQtMWUyZjNhNGI1YzZkOnNrX2xpdmVfMDEyMw==";
    assert_eq!(request.header("authorization"), Some(basic));
}

#[tokio::test]
async fn looking_at_and_killing_a_token() {
    let server = Server::start(|request, _| match request.target.as_str() {
        "/oauth2/revoke" => Answer::with(200, &[], ""),
        _ => Answer::json(
            200,
            r#"{"active":true,"scope":"a b","sub":"s","exp":9,"aud":["x","y"],"cnf":{"jkt":"k"}}"#,
        ),
    })
    .await;
    let client = client(&server, &ManualClock::new());
    let answer = client
        .tokens()
        .introspect(&Secret::new("a.b+c"))
        .await
        .expect("an answer");
    assert!(answer.active && answer.aud.as_ref().is_some_and(|aud| aud.contains("y")));
    assert_eq!((answer.exp, answer.other["cnf"]["jkt"].as_str()), (Some(9), Some("k")));
    client.tokens().revoke(&Secret::new("a.b+c")).await.expect("done");
    let requests = server.received();
    assert_eq!(
        [requests[0].line(), requests[1].line()],
        ["POST /oauth2/introspect", "POST /oauth2/revoke"]
    );
    for request in requests {
        assert_eq!(request.body, "token=a.b%2Bc&token_type_hint=access_token");
        assert!(
            request
                .header("authorization")
                .is_some_and(|value| value.starts_with("Basic "))
        );
    }
}

#[tokio::test]
async fn the_audit_log() {
    let (server, client) = serving(|| {
        Answer::json(
            200,
            &format!(r#"{{"data":[{EVENT_JSON}],"total":1,"page":1,"limit":1,"nextCursor":"s1"}}"#),
        )
    })
    .await;
    let filter = AuditFilter {
        agent_id: Some(agent_id()),
        action: Some("auth.failed".to_owned()),
        outcome: Some(Outcome::Failure),
        from: Some(Timestamp::from_millis(0)),
        to: None,
    };
    let page = client
        .audit()
        .list(&filter, Paging::after("s9", 1))
        .await
        .expect("a page");
    assert_eq!((page.data[0].sequence, page.next_cursor.as_deref()), (1, Some("s1")));
    let expected = format!(
        "GET /api/v1/audit?agentId={AGENT}&action=auth.failed&outcome=failure&fromDate=1970-01-01T00%3A00%3A00.000Z&limit=1&cursor=s9"
    );
    assert_eq!(sent(&server).line(), expected);

    let id: EventId = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c71".parse().expect("a UUID");
    let (server, client) = serving(|| Answer::json(200, EVENT_JSON)).await;
    assert_eq!(client.audit().get(id).await.expect("an event").event_id, id);
    assert_eq!(sent(&server).line(), format!("GET /api/v1/audit/{id}"));

    let (server, client) = serving(|| {
        Answer::json(
            200,
            r#"{"verified":false,"checkedCount":6,"brokenAtEventId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c71"}"#,
        )
    })
    .await;
    let verification = client.audit().verify(None, None).await.expect("an answer");
    assert_eq!(
        (verification.verified, verification.broken_at_event_id),
        (false, Some(id))
    );
    assert_eq!(sent(&server).line(), "GET /api/v1/audit/verify");
}

#[tokio::test]
async fn what_is_public_goes_without_credentials() {
    let server = Server::start(|request, _| match request.target.as_str() {
        "/health" => Answer::json(200, r#"{"status":"ok","checks":{}}"#),
        "/.well-known/jwks.json" => Answer::json(
            200,
            r#"{"keys":[{"kty":"OKP","kid":"k1","alg":"EdDSA","use":"sig","crv":"Ed25519","x":"AA"}]}"#,
        ),
        _ => {
            let issuer = format!("http://{}", request.header("host").expect("a host"));
            Answer::json(
                200,
                &format!(r#"{{"issuer":"{issuer}","token_endpoint":"{issuer}/oauth2/token","jwks_uri":"{issuer}/j"}}"#),
            )
        }
    })
    .await;
    let client = client(&server, &ManualClock::new());
    assert!(client.health().live().await.expect("an answer").is_healthy());
    let jwks = client.jwks().await.expect("keys");
    assert_eq!(
        jwks.find("k1").map(|key| key.parameters["crv"].as_str()),
        Some(Some("Ed25519"))
    );
    assert_eq!(client.discover().await.expect("metadata").issuer, server.address());
    assert!(
        server
            .received()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}
