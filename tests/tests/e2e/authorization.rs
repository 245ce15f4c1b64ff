//! Which scope opens which route, and that nothing opens without it.

use e2e::session::agent_body;
use e2e::{Backend, Client, Node, Session, on_both_stores};
use serde_json::json;

on_both_stores!(
    every_route_asks_for_its_scope,
    the_least_scope_is_enough,
    only_a_credential_that_names_it_operates_the_installation,
);

/// Each route with the scope that it needs, for the agent and the credential with these ids.
fn routes(agent: &str, credential: &str) -> Vec<(&'static str, String, &'static str)> {
    let agents = "/api/v1/agents".to_owned();
    let one = format!("{agents}/{agent}");
    let credentials = format!("{one}/credentials");
    vec![
        ("GET", agents.clone(), "agents:read"),
        ("POST", agents, "agents:write"),
        ("GET", one.clone(), "agents:read"),
        ("PATCH", one.clone(), "agents:write"),
        ("GET", credentials.clone(), "agents:read"),
        ("POST", credentials.clone(), "agents:write"),
        ("POST", format!("{credentials}/{credential}/rotate"), "agents:write"),
        ("DELETE", format!("{credentials}/{credential}"), "agents:write"),
        ("DELETE", one, "agents:write"),
        ("GET", "/api/v1/audit".into(), "audit:read"),
        ("GET", "/api/v1/audit/verify".into(), "audit:read"),
        (
            "GET",
            "/api/v1/audit/01900000-0000-7000-8000-000000000000".into(),
            "audit:read",
        ),
    ]
}

/// Least privilege: to operate the installation, a credential must say so, also in the system organization.
async fn only_a_credential_that_names_it_operates_the_installation(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let ask = async |client: &Client, scope: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        node.api().post("/oauth2/token").basic(client).form(&form).send().await
    };
    ask(&client, "admin:orgs")
        .await
        .expect_oauth_error(400, "invalid_scope");
    let own = format!("/api/v1/agents/{}/credentials", client.id);
    let token = node.token(&client, "agents:write").await;
    let wider = json!({ "scopes": ["admin:orgs"] });
    let refused = node.api().post(&own).bearer(&token).json(&wider).send().await;
    refused.expect_error(403, "FORBIDDEN");
    let named = admin.post(&own, &wider).send().await.expect(201).json();
    let operator = client
        .clone()
        .with_secret(named["clientSecret"].as_str().expect("a secret"));
    let _ = ask(&operator, "admin:orgs").await.expect(200);
}

async fn every_route_asks_for_its_scope(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let all = "agents:read agents:write tokens:read audit:read webhooks:read webhooks:write admin:orgs openid";
    for (method, path, scope) in routes(&client.id, &client.credential) {
        let others: Vec<&str> = all.split(' ').filter(|name| *name != scope).collect();
        let weak = node.token(&node.admin, &others.join(" ")).await;
        let answer = node
            .api()
            .request(method, &path)
            .bearer(&weak)
            .json(&json!({}))
            .send()
            .await;
        assert_eq!(
            answer.status, 403,
            "{method} {path} with everything but {scope}: {answer:?}"
        );
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.contains("insufficient_scope") && challenge.contains(scope),
            "{method} {path}: {challenge}"
        );
        assert!(answer.json()["code"].is_string());
    }
    assert_eq!(
        admin
            .get(&format!("/api/v1/agents/{}", client.id))
            .send()
            .await
            .expect(200)
            .json()["status"],
        "active"
    );
}

async fn the_least_scope_is_enough(backend: Backend) {
    let node = Node::start(backend).await;
    let reader = node.session(&node.admin, "agents:read").await;
    let _ = reader.get("/api/v1/agents").send().await.expect(200);
    let _ = reader
        .get(&format!("/api/v1/agents/{}", node.admin.id))
        .send()
        .await
        .expect(200);
    let _ = reader
        .get(&format!("/api/v1/agents/{}/credentials", node.admin.id))
        .send()
        .await
        .expect(200);
    let writer = node.session(&node.admin, "agents:write").await;
    let agent = writer
        .post("/api/v1/agents", &agent_body())
        .send()
        .await
        .expect(201)
        .json();
    let path = format!("/api/v1/agents/{}", agent["agentId"].as_str().expect("an id"));
    let _ = writer.patch(&path, &json!({ "owner": "x" })).send().await.expect(200);
    let _ = writer.delete(&path).send().await.expect(204);
    let auditor = node.session(&node.admin, "audit:read").await;
    let _ = auditor.get("/api/v1/audit").send().await.expect(200);
    let _ = auditor.get("/api/v1/audit/verify").send().await.expect(200);
    let operator: Session = node.session(&node.admin, "openid").await;
    let _ = operator.get("/agent-info").send().await.expect(200);
}
