//! Bearer tokens at the management API (RFC 6750): what kills them, and that they die in the very next request.

use e2e::{Backend, Node, Session, jwt, on_both_stores};
use serde_json::json;

on_both_stores!(
    a_request_without_a_token_is_told_what_is_missing,
    a_malformed_header_is_refused_as_such,
    a_forged_token_is_refused,
    a_suspended_agents_token_is_refused_in_the_next_request,
    a_decommissioned_agents_token_is_refused_in_the_next_request,
    a_token_dies_with_its_credential_and_others_of_the_agent_live,
    a_dead_token_stays_dead_after_a_crash,
    a_token_in_the_query_or_body_is_not_looked_at,
);

async fn a_request_without_a_token_is_told_what_is_missing(backend: Backend) {
    let node = Node::start(backend).await;
    for path in ["/api/v1/agents", "/api/v1/audit", "/api/v1/audit/verify", "/agent-info"] {
        let answer = node.api().get(path).send().await;
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer"), "{challenge}");
        // RFC 6750 §3.1: without authentication the challenge names no error.
        assert!(!challenge.contains("error="), "{challenge}");
        assert!(answer.json()["code"].is_string());
    }
}

async fn a_malformed_header_is_refused_as_such(backend: Backend) {
    let node = Node::start(backend).await;
    for value in [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic YTpi",
        "Digest x",
        "bearer\u{e9}",
        "Bearer {}",
    ] {
        let answer = node
            .api()
            .get("/api/v1/agents")
            .header("authorization", value)
            .send()
            .await;
        assert!(matches!(answer.status, 400 | 401), "{value}: {answer:?}");
        assert!(
            answer.header("www-authenticate").starts_with("Bearer"),
            "{value}: {answer:?}"
        );
    }
    let token = node.token(&node.admin, "").await;
    let lower = node
        .api()
        .get("/api/v1/agents")
        .header("authorization", format!("bearer {token}"))
        .send()
        .await;
    let _ = lower.expect(200);
    let both = node
        .api()
        .get("/api/v1/agents")
        .bearer(&token)
        .bearer(&token)
        .send()
        .await;
    assert!(matches!(both.status, 400 | 401), "two headers are ambiguous: {both:?}");
}

async fn a_forged_token_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    let (header, claims) = jwt::parts(&token);
    let none = jwt::forged(
        &json!({ "alg": "none", "typ": "at+jwt", "kid": header["kid"] }),
        &claims,
        b"",
    );
    let hmac = jwt::forged(
        &json!({ "alg": "HS256", "typ": "at+jwt", "kid": header["kid"] }),
        &claims,
        &[0; 32],
    );
    let es256 = jwt::forged(
        &json!({ "alg": "ES256", "typ": "at+jwt", "kid": header["kid"] }),
        &claims,
        &[1; 64],
    );
    let elevated = jwt::with_claims(&token, |claims| claims["scope"] = json!("agents:read audit:read"));
    for forged in [
        none,
        hmac,
        es256,
        elevated,
        jwt::with_broken_signature(&token),
        token.trim_end_matches('=').replacen('.', "..", 1),
    ] {
        let answer = node.api().get("/api/v1/agents").bearer(&forged).send().await;
        assert_eq!(answer.status, 401, "{forged}: {answer:?}");
        assert!(
            answer.header("www-authenticate").contains("invalid_token"),
            "{:?}",
            answer.headers
        );
    }
    assert!(node.accepts_bearer(&token).await);
}

/// A token of a fresh agent, and the session of the administrator who rules over it.
async fn victim(node: &Node) -> (Session, String, Session) {
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let session = node.session(&client, "agents:read").await;
    let _ = session.get("/api/v1/agents").send().await.expect(200);
    assert!(node.is_active(&session.token).await);
    (admin, client.id, session)
}

async fn assert_dead(node: &Node, session: &Session) {
    let bearer = session.get("/api/v1/agents").send().await;
    assert_eq!(bearer.status, 401, "{bearer:?}");
    assert!(bearer.header("www-authenticate").contains("invalid_token"));
    assert!(!node.is_active(&session.token).await);
}

async fn a_suspended_agents_token_is_refused_in_the_next_request(backend: Backend) {
    let node = Node::start(backend).await;
    let (admin, agent, session) = victim(&node).await;
    admin.set_status(&agent, "suspended").await;
    assert_dead(&node, &session).await;
    admin.set_status(&agent, "active").await;
    assert_dead(&node, &session).await;
}

async fn a_decommissioned_agents_token_is_refused_in_the_next_request(backend: Backend) {
    let node = Node::start(backend).await;
    for by_patch in [false, true] {
        let (admin, agent, session) = victim(&node).await;
        if by_patch {
            admin.set_status(&agent, "decommissioned").await;
        } else {
            let _ = admin
                .delete(&format!("/api/v1/agents/{agent}"))
                .send()
                .await
                .expect(204);
        }
        assert_dead(&node, &session).await;
    }
}

async fn a_token_dies_with_its_credential_and_others_of_the_agent_live(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let one = admin.new_client().await;
    let two = admin.new_secret(&one.id, &json!({})).await;
    let (dying, living) = (node.session(&one, "").await, node.session(&two, "").await);
    let path = format!("/api/v1/agents/{}/credentials/{}", one.id, one.credential);
    let _ = admin.delete(&path).send().await.expect(204);
    assert_dead(&node, &dying).await;
    let _ = living.get("/api/v1/agents").send().await.expect(200);
    assert!(node.is_active(&living.token).await);
}

async fn a_dead_token_stays_dead_after_a_crash(backend: Backend) {
    let mut node = Node::start(backend).await;
    let (admin, agent, suspended) = victim(&node).await;
    admin.set_status(&agent, "suspended").await;
    let (_, agent, ended) = victim(&node).await;
    let _ = admin
        .delete(&format!("/api/v1/agents/{agent}"))
        .send()
        .await
        .expect(204);
    node.kill();
    node.start_again().await;
    assert_dead(&node, &suspended).await;
    assert_dead(&node, &ended).await;
    assert!(node.is_active(&admin.token).await);
}

async fn a_token_in_the_query_or_body_is_not_looked_at(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    let answer = node
        .api()
        .get(&format!("/api/v1/agents?access_token={token}"))
        .send()
        .await;
    assert_eq!(answer.status, 401);
    assert!(!answer.text().contains(&token));
}
