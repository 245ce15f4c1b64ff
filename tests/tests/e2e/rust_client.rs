//! The published Rust client against a live node.

use e2e::{Backend, Client as Identity, Node, on_both_stores};
use sdk::{
    AgentFilter, AgentPatch, AgentStatus, AgentType, AuditFilter, Client, CredentialStatus, DeploymentEnv, NewAgent,
    NewCredential, Paging, RotateCredential, Secret, TokenRequest,
};

on_both_stores!(
    a_token_is_kept_until_it_is_needed_anew,
    a_token_that_was_killed_is_replaced,
    agents_and_credentials_live_their_lives,
    the_node_is_discovered_and_feels_well,
    the_audit_log_is_read,
    refusals_are_values,
);

fn client(node: &Node, identity: &Identity) -> Client {
    let builder = Client::builder(node.api().base()).credentials(identity.id.clone(), identity.secret.clone());
    builder.build().expect("a client")
}

async fn a_token_is_kept_until_it_is_needed_anew(backend: Backend) {
    let node = Node::start(backend).await;
    let client = client(&node, &node.admin);
    let first = client.access_token(&["agents:read"]).await.expect("a token");
    let second = client.access_token(&["agents:read"]).await.expect("a token");
    let other = client.access_token(&["audit:read"]).await.expect("a token");
    assert_eq!(first.expose(), second.expose());
    assert_ne!(first.expose(), other.expose());
    let answer = client.tokens().introspect(&first).await.expect("an answer");
    assert_eq!(
        (answer.active, answer.sub.as_deref()),
        (true, Some(node.admin.id.as_str()))
    );
}

async fn a_token_that_was_killed_is_replaced(backend: Backend) {
    let node = Node::start(backend).await;
    let client = client(&node, &node.admin);
    let _ = client
        .agents()
        .list(&AgentFilter::default(), Paging::first(10))
        .await
        .expect("a page");
    let token = client.access_token(&["agents:read"]).await.expect("a token");
    client.tokens().revoke(&token).await.expect("revoked");
    // The kept token is refused now; the client takes another and repeats.
    let page = client
        .agents()
        .list(&AgentFilter::default(), Paging::first(10))
        .await
        .expect("a page");
    assert_eq!(page.total, 1);
}

async fn agents_and_credentials_live_their_lives(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = client(&node, &node.admin);
    let new = NewAgent {
        email: e2e::unique::email(),
        agent_type: AgentType::Extractor,
        version: "1.0.0".into(),
        capabilities: vec!["invoice:read".into()],
        owner: "finance".into(),
        deployment_env: DeploymentEnv::Production,
        is_public: false,
    };
    let agent = admin.agents().register(&new).await.expect("registered");
    let id = agent.agent_id;
    let issued = admin
        .credentials(id)
        .generate(&NewCredential::default())
        .await
        .expect("a secret");
    let rotation = RotateCredential::default();
    let rotated = admin
        .credentials(id)
        .rotate(issued.credential.credential_id, &rotation)
        .await
        .expect("a secret");
    let identity = Identity {
        id: id.to_string(),
        secret: rotated.client_secret.expose().to_owned(),
        credential: String::new(),
    };
    let theirs = client(&node, &identity);
    let token = theirs.access_token(&["agents:read"]).await.expect("a token");
    let suspended = admin
        .agents()
        .update(id, &AgentPatch::status(AgentStatus::Suspended), agent.etag.as_ref())
        .await;
    assert_eq!(suspended.expect("suspended").status, AgentStatus::Suspended);
    assert!(!admin.tokens().introspect(&token).await.expect("an answer").active);
    let stale = admin
        .agents()
        .decommission(id, agent.etag.as_ref())
        .await
        .expect_err("it changed meanwhile");
    assert_eq!(stale.status(), Some(412));
    admin
        .credentials(id)
        .revoke(issued.credential.credential_id)
        .await
        .expect("revoked");
    let revoked = admin
        .credentials(id)
        .list(Some(CredentialStatus::Revoked), Paging::first(10))
        .await
        .expect("a page");
    assert_eq!(revoked.total, 1);
    admin.agents().decommission(id, None).await.expect("ended");
    assert_eq!(
        admin.agents().get(id).await.expect("still known").status,
        AgentStatus::Decommissioned
    );
}

async fn the_node_is_discovered_and_feels_well(backend: Backend) {
    let node = Node::start(backend).await;
    let client = client(&node, &node.admin);
    let metadata = client.discover().await.expect("metadata");
    assert_eq!(metadata.issuer, node.issuer());
    let token = client
        .tokens()
        .issue(&TokenRequest::new().scope("openid").nonce("n"))
        .await
        .expect("a token");
    let header = e2e::jwt::parts(token.id_token.as_ref().expect("an ID token").expose()).0;
    let keys = client.jwks().await.expect("keys");
    assert!(keys.find(header["kid"].as_str().expect("a kid")).is_some());
    for report in [
        client.health().live().await,
        client.health().ready().await,
        client.health().detailed().await,
    ] {
        assert!(report.expect("a report").is_healthy());
    }
}

async fn the_audit_log_is_read(backend: Backend) {
    let node = Node::start(backend).await;
    let client = client(&node, &node.admin);
    let filter = AuditFilter {
        action: Some("token.issued".into()),
        ..AuditFilter::default()
    };
    let events = client.audit().list(&filter, Paging::first(10)).await.expect("a page");
    let event = events.data.first().expect("the token that this was asked with");
    assert_eq!(
        client.audit().get(event.event_id).await.expect("an event").hash,
        event.hash
    );
    let verdict = client.audit().verify(None, None).await.expect("a verdict");
    assert!(verdict.verified && verdict.checked_count > 0);
}

async fn refusals_are_values(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = client(&node, &node.admin);
    let nobody = "01900000-0000-7000-8000-000000000000".parse().expect("a UUID");
    let missing = admin.agents().get(nobody).await.expect_err("there is none");
    assert_eq!((missing.status(), missing.code()), (Some(404), Some("AGENT_NOT_FOUND")));
    assert!(missing.request_id().is_some());
    let impostor = client(&node, &node.admin.with_secret("sk_live_0"));
    let refused = impostor.access_token(&[]).await.map(drop).expect_err("a wrong secret");
    assert_eq!((refused.status(), refused.code()), (Some(401), Some("invalid_client")));
    let inactive = admin
        .tokens()
        .introspect(&Secret::new("nonsense"))
        .await
        .expect("an answer");
    assert!(!inactive.active);
}
