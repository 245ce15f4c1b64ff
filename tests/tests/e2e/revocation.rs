//! `POST /oauth2/revoke` (RFC 7009): a revoked token is dead from the moment of the answer, and stays dead.

use e2e::{Backend, Node, on_both_stores};
use serde_json::json;

on_both_stores!(
    a_revoked_token_is_dead_at_once_and_after_a_crash,
    revoking_again_or_revoking_nonsense_is_fine,
    only_that_token_dies,
    an_agent_revokes_its_own_tokens_only,
    a_caller_without_authentication_is_refused,
    a_token_may_revoke_itself,
);

const PATHS: [&str; 2] = ["/oauth2/revoke", "/api/v1/token/revoke"];

async fn a_revoked_token_is_dead_at_once_and_after_a_crash(backend: Backend) {
    let mut node = Node::start(backend).await;
    for path in PATHS {
        let token = node.token(&node.admin, "").await;
        assert!(node.is_active(&token).await && node.accepts_bearer(&token).await);
        let answer = node
            .api()
            .post(path)
            .basic(&node.admin)
            .form(&[("token", &token)])
            .send()
            .await
            .expect(200);
        assert!(answer.header("cache-control").contains("no-store"));
        assert!(!node.is_active(&token).await && !node.accepts_bearer(&token).await);
        node.kill();
        node.start_again().await;
        assert!(!node.is_active(&token).await && !node.accepts_bearer(&token).await);
    }
}

async fn revoking_again_or_revoking_nonsense_is_fine(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    for text in [token.as_str(), &token, "nonsense", "a.b.c"] {
        for hint in ["access_token", "refresh_token"] {
            let form = [("token", text), ("token_type_hint", hint)];
            let _ = node
                .api()
                .post(PATHS[0])
                .basic(&node.admin)
                .form(&form)
                .send()
                .await
                .expect(200);
        }
    }
    let recorded = node.admin().await.audit("action=token.revoked").await;
    assert_eq!(
        recorded.len(),
        4,
        "each request about the token is recorded: {recorded:?}"
    );
    let nothing = node
        .api()
        .post(PATHS[0])
        .basic(&node.admin)
        .form(&[("token_type_hint", "access_token")])
        .send()
        .await;
    nothing.expect_oauth_error(400, "invalid_request");
}

async fn only_that_token_dies(backend: Backend) {
    let node = Node::start(backend).await;
    let (one, two) = (node.token(&node.admin, "").await, node.token(&node.admin, "").await);
    let _ = node
        .api()
        .post(PATHS[0])
        .basic(&node.admin)
        .form(&[("token", &one)])
        .send()
        .await
        .expect(200);
    assert!(!node.is_active(&one).await && node.is_active(&two).await);
}

async fn an_agent_revokes_its_own_tokens_only(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let owner = admin.new_client().await;
    let stranger = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let scopes = json!({ "scopes": ["agents:read", "agents:write", "tokens:read"] });
    let stranger = admin.new_secret(&stranger, &scopes).await;
    let token = node.token(&owner, "").await;
    let refused = node
        .api()
        .post(PATHS[0])
        .basic(&stranger)
        .form(&[("token", &token)])
        .send()
        .await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(node.is_active(&token).await);
    // The operator of the installation may.
    let _ = node
        .api()
        .post(PATHS[0])
        .basic(&node.admin)
        .form(&[("token", &token)])
        .send()
        .await
        .expect(200);
    assert!(!node.is_active(&token).await);
    let token = node.token(&owner, "").await;
    let _ = node
        .api()
        .post(PATHS[0])
        .basic(&owner)
        .form(&[("token", &token)])
        .send()
        .await
        .expect(200);
    assert!(!node.is_active(&token).await);
}

async fn a_caller_without_authentication_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    for path in PATHS {
        let answer = node.api().post(path).form(&[("token", &token)]).send().await;
        answer.expect_oauth_error(401, "invalid_client");
    }
    assert!(node.is_active(&token).await);
}

async fn a_token_may_revoke_itself(backend: Backend) {
    let node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    let _ = node
        .api()
        .post(PATHS[0])
        .bearer(&token)
        .form(&[("token", &token)])
        .send()
        .await
        .expect(200);
    let again = node
        .api()
        .post(PATHS[0])
        .bearer(&token)
        .form(&[("token", &token)])
        .send()
        .await;
    assert_eq!(again.status, 401, "a dead token authenticates nobody: {again:?}");
}
