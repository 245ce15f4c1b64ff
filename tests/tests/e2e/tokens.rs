//! `POST /oauth2/token` (RFC 6749 §4.4): who gets a token, and what it says.

use e2e::node::{ALL_SCOPES, token_form};
use e2e::{Answer, Backend, Client, Node, jwt, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    a_client_gets_a_token_whichever_way_it_authenticates_and_on_both_paths,
    the_answer_is_what_rfc_6749_says_and_no_cache_keeps_it,
    a_token_is_an_rfc_9068_access_token,
    without_a_scope_the_token_holds_agents_read,
    scopes_are_deduplicated_and_answered_in_one_order,
    an_unknown_or_malformed_scope_is_invalid_scope,
    only_the_system_organization_may_ask_for_admin_orgs_and_there_every_scope_works,
    the_openid_scope_adds_an_id_token_with_the_nonce,
    a_resource_becomes_the_audience,
    a_resource_that_is_no_absolute_uri_is_invalid_target,
    every_token_has_an_id_of_its_own,
    an_unknown_client_and_a_wrong_secret_get_the_same_answer,
    a_client_without_authentication_is_told_how_to,
    two_ways_of_authenticating_at_once_are_refused,
    a_grant_that_is_missing_or_unknown_is_refused,
    unknown_parameters_are_ignored_and_empty_ones_count_as_absent,
    a_suspended_agent_is_told_so_only_after_it_proved_its_secret,
    a_reactivated_agent_gets_tokens_again,
    a_decommissioned_agent_gets_none,
);

async fn request(node: &Node, client: &Client, form: &[(&str, &str)]) -> Answer {
    node.api().post("/oauth2/token").basic(client).form(form).send().await
}

fn access_token(body: &Value) -> &str {
    body["access_token"].as_str().expect("an access token")
}

async fn a_client_gets_a_token_whichever_way_it_authenticates_and_on_both_paths(backend: Backend) {
    let node = Node::start(backend).await;
    let Client { id, secret, .. } = &node.admin;
    for path in ["/oauth2/token", "/api/v1/token"] {
        let basic = node
            .api()
            .post(path)
            .basic(&node.admin)
            .form(&token_form(""))
            .send()
            .await
            .expect(200);
        assert!(node.is_active(access_token(&basic.json())).await);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let post = node.api().post(path).form(&form).send().await.expect(200);
        assert!(node.is_active(access_token(&post.json())).await);
        // The scheme's name is not case-sensitive (RFC 9110 §11.1).
        let lower = node.admin.basic().replace("Basic", "basic");
        let _ = node
            .api()
            .post(path)
            .header("authorization", lower)
            .form(&token_form(""))
            .send()
            .await
            .expect(200);
    }
}

async fn the_answer_is_what_rfc_6749_says_and_no_cache_keeps_it(backend: Backend) {
    let node = Node::start(backend).await;
    let answer = request(&node, &node.admin, &token_form("agents:read audit:read"))
        .await
        .expect(200);
    assert!(
        answer.header("cache-control").contains("no-store"),
        "{:?}",
        answer.headers
    );
    assert!(answer.header("content-type").starts_with("application/json"));
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["scope"], "agents:read audit:read");
    let members: Vec<&str> = body
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        ["access_token", "expires_in", "scope", "token_type"],
        "no id_token without openid"
    );
}

async fn a_token_is_an_rfc_9068_access_token(backend: Backend) {
    let node = Node::start(backend).await;
    let client = node.admin().await.new_client().await;
    let token = node.token(&client, "agents:read tokens:read").await;
    let jwks = node.api().get("/.well-known/jwks.json").send().await.expect(200).json();
    let claims = jwt::verified(&token, &jwks, node.issuer(), node.issuer());
    let (header, _) = jwt::parts(&token);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
    assert_eq!(claims["iss"], node.issuer());
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&json!(client.id), &json!(client.id))
    );
    assert_eq!(claims["organization_id"], node.announcement.0["organizationId"]);
    assert_eq!(claims["scope"], "agents:read tokens:read");
    let (issued, expires) = (
        claims["iat"].as_i64().expect("iat"),
        claims["exp"].as_i64().expect("exp"),
    );
    assert_eq!(expires - issued, 3600);
    assert_eq!(claims["jti"].as_str().expect("jti").len(), 36);
}

async fn without_a_scope_the_token_holds_agents_read(backend: Backend) {
    let node = Node::start(backend).await;
    let body = request(&node, &node.admin, &token_form("")).await.expect(200).json();
    assert_eq!(body["scope"], "agents:read");
    assert_eq!(jwt::parts(access_token(&body)).1["scope"], "agents:read");
}

async fn scopes_are_deduplicated_and_answered_in_one_order(backend: Backend) {
    let node = Node::start(backend).await;
    let body = request(&node, &node.admin, &token_form("audit:read agents:read  audit:read"))
        .await
        .expect(200)
        .json();
    assert_eq!(body["scope"], "agents:read audit:read");
}

async fn an_unknown_or_malformed_scope_is_invalid_scope(backend: Backend) {
    let node = Node::start(backend).await;
    let many = "agents:read ".repeat(600);
    for scope in [
        "agents:delete",
        "agents:read agents:delete",
        "Agents:read",
        "agents:read\tagents:write",
        "*",
        many.as_str(),
    ] {
        let answer = request(&node, &node.admin, &token_form(scope)).await;
        answer.expect_oauth_error(400, "invalid_scope");
    }
}

async fn only_the_system_organization_may_ask_for_admin_orgs_and_there_every_scope_works(backend: Backend) {
    let node = Node::start(backend).await;
    let body = request(&node, &node.admin, &token_form(ALL_SCOPES))
        .await
        .expect(200)
        .json();
    assert_eq!(body["scope"], ALL_SCOPES);
}

async fn the_openid_scope_adds_an_id_token_with_the_nonce(backend: Backend) {
    let node = Node::start(backend).await;
    let mut form = token_form("openid");
    form.push(("nonce", "n-0S6_WzA2Mj"));
    let body = request(&node, &node.admin, &form).await.expect(200).json();
    let jwks = node.api().get("/.well-known/jwks.json").send().await.expect(200).json();
    let id_token = body["id_token"].as_str().expect("an id_token");
    let claims = jwt::verified(id_token, &jwks, node.issuer(), &node.admin.id);
    assert_eq!(
        (&claims["sub"], &claims["nonce"]),
        (&json!(node.admin.id), &json!("n-0S6_WzA2Mj"))
    );
    assert_eq!(jwt::parts(id_token).0["typ"], "JWT");
    assert!(!node.accepts_bearer(id_token).await, "an ID token is no access token");
    let plain = request(&node, &node.admin, &token_form("openid"))
        .await
        .expect(200)
        .json();
    let (_, claims) = jwt::parts(plain["id_token"].as_str().expect("an id_token"));
    assert_eq!(claims.get("nonce"), None);
}

async fn a_resource_becomes_the_audience(backend: Backend) {
    let node = Node::start(backend).await;
    let mut form = token_form("");
    form.push(("resource", "https://api.example/v1"));
    let one = request(&node, &node.admin, &form).await.expect(200).json();
    assert_eq!(jwt::parts(access_token(&one)).1["aud"], "https://api.example/v1");
    assert!(
        !node.accepts_bearer(access_token(&one)).await,
        "the token is meant for somebody else"
    );
    assert!(
        node.is_active(access_token(&one)).await,
        "that somebody must be able to introspect it"
    );
    form.push(("resource", "urn:example:two"));
    let two = request(&node, &node.admin, &form).await.expect(200).json();
    assert_eq!(
        jwt::parts(access_token(&two)).1["aud"],
        json!(["https://api.example/v1", "urn:example:two"])
    );
}

async fn a_resource_that_is_no_absolute_uri_is_invalid_target(backend: Backend) {
    let node = Node::start(backend).await;
    for resource in ["/relative", "api.example", "https://api.example/#fragment"] {
        let mut form = token_form("");
        form.push(("resource", resource));
        request(&node, &node.admin, &form)
            .await
            .expect_oauth_error(400, "invalid_target");
    }
}

async fn every_token_has_an_id_of_its_own(backend: Backend) {
    let node = Node::start(backend).await;
    let (one, two) = (node.token(&node.admin, "").await, node.token(&node.admin, "").await);
    assert_ne!(jwt::parts(&one).1["jti"], jwt::parts(&two).1["jti"]);
}

async fn an_unknown_client_and_a_wrong_secret_get_the_same_answer(backend: Backend) {
    let node = Node::start(backend).await;
    let wrong_secret = node.admin.with_secret(&format!("sk_live_{}", "0".repeat(64)));
    let unknown = Client {
        id: "01900000-0000-7000-8000-000000000000".into(),
        ..wrong_secret.clone()
    };
    let nonsense = Client {
        id: "nobody".into(),
        ..wrong_secret.clone()
    };
    let mut answers = Vec::new();
    for client in [&wrong_secret, &unknown, &nonsense] {
        let answer = request(&node, client, &token_form("")).await;
        answer.expect_oauth_error(401, "invalid_client");
        assert!(
            answer.header("www-authenticate").starts_with("Basic "),
            "{:?}",
            answer.headers
        );
        assert!(answer.header("cache-control").contains("no-store"));
        answers.push(answer.json());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client.id),
            ("client_secret", &client.secret),
        ];
        let posted = node.api().post("/oauth2/token").form(&form).send().await;
        answers.push(posted.expect_oauth_error(401, "invalid_client"));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

async fn a_client_without_authentication_is_told_how_to(backend: Backend) {
    let node = Node::start(backend).await;
    let answer = node.api().post("/oauth2/token").form(&token_form("")).send().await;
    answer.expect_oauth_error(401, "invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic "));
    let bearer = node
        .api()
        .post("/oauth2/token")
        .bearer("abc")
        .form(&token_form(""))
        .send()
        .await;
    bearer.expect_oauth_error(401, "invalid_client");
}

async fn two_ways_of_authenticating_at_once_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let mut form = token_form("");
    form.push(("client_id", &node.admin.id));
    let _ = request(&node, &node.admin, &form).await.expect(200);
    form.push(("client_secret", &node.admin.secret));
    request(&node, &node.admin, &form)
        .await
        .expect_oauth_error(400, "invalid_request");
    let mut other = token_form("");
    other.push(("client_id", "01900000-0000-7000-8000-000000000000"));
    request(&node, &node.admin, &other)
        .await
        .expect_oauth_error(400, "invalid_request");
}

async fn a_grant_that_is_missing_or_unknown_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    request(&node, &node.admin, &[("scope", "agents:read")])
        .await
        .expect_oauth_error(400, "invalid_request");
    for grant in [
        "password",
        "authorization_code",
        "refresh_token",
        "CLIENT_CREDENTIALS",
        "client_credentials ",
    ] {
        request(&node, &node.admin, &[("grant_type", grant)])
            .await
            .expect_oauth_error(400, "unsupported_grant_type");
    }
}

async fn unknown_parameters_are_ignored_and_empty_ones_count_as_absent(backend: Backend) {
    let node = Node::start(backend).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", ""),
        ("audience_hint", "x"),
        ("client_secret", ""),
    ];
    assert_eq!(
        request(&node, &node.admin, &form).await.expect(200).json()["scope"],
        "agents:read"
    );
    request(&node, &node.admin, &[("grant_type", "")])
        .await
        .expect_oauth_error(400, "invalid_request");
}

async fn a_suspended_agent_is_told_so_only_after_it_proved_its_secret(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    admin.set_status(&client.id, "suspended").await;
    request(&node, &client, &token_form(""))
        .await
        .expect_oauth_error(403, "unauthorized_client");
    let guess = client.with_secret(&format!("sk_live_{}", "1".repeat(64)));
    request(&node, &guess, &token_form(""))
        .await
        .expect_oauth_error(401, "invalid_client");
}

async fn a_reactivated_agent_gets_tokens_again(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let before = node.token(&client, "").await;
    admin.set_status(&client.id, "suspended").await;
    admin.set_status(&client.id, "active").await;
    let after = node.token(&client, "").await;
    assert!(node.is_active(&after).await);
    assert!(!node.is_active(&before).await, "what a suspended agent held stays dead");
}

async fn a_decommissioned_agent_gets_none(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let token = node.token(&client, "").await;
    let _ = admin
        .delete(&format!("/api/v1/agents/{}", client.id))
        .send()
        .await
        .expect(204);
    // Its credentials were revoked with it, so nothing that it could prove is left.
    let answer = request(&node, &client, &token_form("")).await;
    assert!(matches!(answer.status, 401 | 403), "{answer:?}");
    assert!(!node.is_active(&token).await);
}
