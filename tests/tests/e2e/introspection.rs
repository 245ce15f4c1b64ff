//! `POST /oauth2/introspect` (RFC 7662): whether a token is alive, told to those who may know.

use e2e::{Backend, Node, jwt, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    a_live_token_is_described_on_both_paths,
    whatever_is_no_live_token_is_just_not_active,
    an_access_token_of_another_issuer_is_not_active,
    a_caller_without_tokens_read_is_refused,
    a_caller_without_authentication_is_refused,
    a_bearer_may_introspect_too,
    a_request_without_a_token_is_invalid,
    a_token_type_hint_does_not_matter,
);

const PATHS: [&str; 2] = ["/oauth2/introspect", "/api/v1/token/introspect"];

async fn a_live_token_is_described_on_both_paths(backend: Backend) {
    let node = Node::start(backend).await;
    let client = node.admin().await.new_client().await;
    let token = node.token(&client, "agents:read audit:read").await;
    let (_, claims) = jwt::parts(&token);
    for path in PATHS {
        let answer = node
            .api()
            .post(path)
            .basic(&node.admin)
            .form(&[("token", &token)])
            .send()
            .await
            .expect(200);
        assert!(answer.header("cache-control").contains("no-store"));
        let body = answer.json();
        assert_eq!(body["active"], true);
        assert_eq!(
            (&body["scope"], &body["token_type"]),
            (&json!("agents:read audit:read"), &json!("Bearer"))
        );
        assert_eq!(
            (&body["client_id"], &body["sub"]),
            (&json!(client.id), &json!(client.id))
        );
        for name in ["exp", "iat", "iss", "jti", "aud", "organization_id"] {
            assert_eq!(body[name], claims[name], "{name}");
        }
        // Numeric dates are JSON numbers (RFC 7662 §2.2).
        assert!(body["exp"].is_i64() && body["iat"].is_i64());
    }
}

async fn whatever_is_no_live_token_is_just_not_active(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    let (header, claims) = jwt::parts(&token);
    let unsigned = jwt::forged(&json!({ "alg": "none", "typ": "at+jwt" }), &claims, b"");
    let unknown_key = jwt::forged(&with(&header, "kid", json!("nobody's")), &claims, &[7; 64]);
    let critical = jwt::forged(&with(&header, "crit", json!(["exp"])), &claims, &[7; 64]);
    let longer = jwt::with_claims(&token, |claims| {
        claims["exp"] = json!(claims["exp"].as_i64().expect("exp") + 1)
    });
    let other = jwt::with_claims(&token, |claims| claims["scope"] = json!("admin:orgs"));
    let broken = jwt::with_broken_signature(&token);
    let cut = token[..token.len() - 4].to_owned();
    let huge = "a".repeat(7000);
    let texts = [
        "x",
        "a.b.c",
        "..",
        "ä",
        "null",
        &unsigned,
        &unknown_key,
        &critical,
        &longer,
        &other,
        &broken,
        &cut,
        &huge,
    ];
    for text in texts {
        assert!(!node.is_active(text).await, "{text}");
    }
    assert!(node.is_active(&token).await);
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut changed = object.clone();
    changed[name] = value;
    changed
}

async fn an_access_token_of_another_issuer_is_not_active(backend: Backend) {
    let (node, other) = (Node::start(backend).await, Node::start(backend).await);
    let token = other.token(&other.admin, "").await;
    assert!(other.is_active(&token).await);
    assert!(!node.is_active(&token).await);
    assert!(!node.accepts_bearer(&token).await);
}

async fn a_caller_without_tokens_read_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await;
    let narrow = admin
        .new_secret(
            agent["agentId"].as_str().expect("an id"),
            &json!({ "scopes": ["agents:read"] }),
        )
        .await;
    for path in PATHS {
        let answer = node
            .api()
            .post(path)
            .basic(&narrow)
            .form(&[("token", &admin.token)])
            .send()
            .await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(
            answer.text().contains("tokens:read"),
            "the answer names the scope that is missing: {answer:?}"
        );
    }
    let weak = node.session(&node.admin, "agents:read").await;
    let answer = node
        .api()
        .post(PATHS[0])
        .bearer(&weak.token)
        .form(&[("token", &admin.token)])
        .send()
        .await
        .expect(403);
    assert!(
        answer.header("www-authenticate").contains("insufficient_scope"),
        "{:?}",
        answer.headers
    );
}

async fn a_caller_without_authentication_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    let wrong = node.admin.with_secret("sk_live_wrong");
    for path in PATHS {
        let anonymous = node.api().post(path).form(&[("token", &token)]).send().await;
        anonymous.expect_oauth_error(401, "invalid_client");
        assert!(!anonymous.header("www-authenticate").is_empty());
        let impostor = node
            .api()
            .post(path)
            .basic(&wrong)
            .form(&[("token", &token)])
            .send()
            .await;
        impostor.expect_oauth_error(401, "invalid_client");
    }
}

async fn a_bearer_may_introspect_too(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let answer = node
        .api()
        .post(PATHS[0])
        .bearer(&admin.token)
        .form(&[("token", &admin.token)])
        .send()
        .await
        .expect(200);
    assert_eq!(answer.json()["active"], true);
}

async fn a_request_without_a_token_is_invalid(backend: Backend) {
    let node = Node::start(backend).await;
    for path in PATHS {
        let answer = node
            .api()
            .post(path)
            .basic(&node.admin)
            .form(&[("token_type_hint", "access_token")])
            .send()
            .await;
        answer.expect_oauth_error(400, "invalid_request");
        let twice = node
            .api()
            .post(path)
            .basic(&node.admin)
            .form(&[("token", "a"), ("token", "b")])
            .send()
            .await;
        twice.expect_oauth_error(400, "invalid_request");
    }
}

async fn a_token_type_hint_does_not_matter(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    for hint in ["access_token", "refresh_token", "something_else"] {
        let form = [("token", token.as_str()), ("token_type_hint", hint)];
        let body = node
            .api()
            .post(PATHS[0])
            .basic(&node.admin)
            .form(&form)
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(body["active"], true, "{hint}");
    }
}
