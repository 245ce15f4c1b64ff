//! Credentials: a secret is shown once, replaced, narrowed, and dies with everything that was issued from it.

use e2e::node::token_form;
use e2e::{Answer, Backend, Client, Node, Session, eventually, jwt, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    a_secret_is_shown_once_and_works,
    an_agent_may_have_several,
    narrowed_scopes_bound_every_token,
    a_rotated_secret_dies_at_once,
    a_rotated_secret_lives_on_during_an_overlap,
    a_rotation_checks_its_fields,
    a_revoked_credential_authenticates_nobody_and_can_not_come_back,
    an_expired_credential_authenticates_nobody,
    every_bad_field_is_named,
    only_an_active_agent_gets_a_credential,
    credentials_of_another_agent_are_not_found,
    an_agent_without_admin_orgs_manages_its_own_only,
    what_a_token_does_not_hold_is_not_handed_on,
    an_agent_has_at_most_twenty,
    the_time_of_the_last_use_is_noted,
);

fn path(client: &Client) -> String {
    format!("/api/v1/agents/{}/credentials/{}", client.id, client.credential)
}

async fn try_token(node: &Node, client: &Client) -> Answer {
    node.api()
        .post("/oauth2/token")
        .basic(client)
        .form(&token_form(""))
        .send()
        .await
}

async fn listed(admin: &Session, agent: &str, query: &str) -> Vec<Value> {
    let list = admin
        .get(&format!("/api/v1/agents/{agent}/credentials?{query}"))
        .send()
        .await
        .expect(200)
        .json();
    list["data"].as_array().expect("data").clone()
}

async fn a_secret_is_shown_once_and_works(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let answer = admin
        .post(&format!("/api/v1/agents/{agent}/credentials"), &json!({}))
        .send()
        .await
        .expect(201);
    assert!(
        answer.header("cache-control").contains("no-store"),
        "{:?}",
        answer.headers
    );
    let body = answer.json();
    let secret = body["clientSecret"].as_str().expect("a secret");
    let digits = secret.strip_prefix("sk_live_").expect("the prefix that scanners know");
    assert!(
        digits.len() == 64 && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')),
        "{digits}"
    );
    assert_eq!((&body["clientId"], &body["status"]), (&json!(agent), &json!("active")));
    assert_eq!(
        (&body["expiresAt"], &body["revokedAt"], &body["lastUsedAt"]),
        (&json!(null), &json!(null), &json!(null))
    );
    let _ = try_token(&node, &Client::of_credential(&body)).await.expect(200);
    let mut described = body.clone();
    described.as_object_mut().expect("an object").remove("clientSecret");
    let list = listed(&admin, &agent, "").await;
    assert_eq!(list.len(), 1);
    for name in ["credentialId", "clientId", "status", "createdAt", "expiresAt"] {
        assert_eq!(list[0][name], described[name], "{name}");
    }
    assert!(!json!(list).to_string().contains(digits));
}

async fn an_agent_may_have_several(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let one = admin.new_client().await;
    let two = admin.new_secret(&one.id, &json!({})).await;
    assert_ne!(one.secret, two.secret);
    for client in [&one, &two] {
        let _ = try_token(&node, client).await.expect(200);
    }
    let _ = admin.delete(&path(&one)).send().await.expect(204);
    let ids = |list: Vec<Value>| {
        list.iter()
            .map(|entry| entry["credentialId"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids(listed(&admin, &one.id, "status=active").await),
        [two.credential.as_str()]
    );
    assert_eq!(
        ids(listed(&admin, &one.id, "status=revoked").await),
        [one.credential.as_str()]
    );
    assert_eq!(ids(listed(&admin, &one.id, "").await), [one.credential, two.credential]);
}

async fn narrowed_scopes_bound_every_token(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let narrow = admin
        .new_secret(&agent, &json!({ "scopes": ["audit:read", "tokens:read"] }))
        .await;
    let ask = |scope: &'static str| {
        node.api()
            .post("/oauth2/token")
            .basic(&narrow)
            .form(&token_form(scope))
            .send()
    };
    assert_eq!(ask("audit:read").await.expect(200).json()["scope"], "audit:read");
    assert_eq!(
        ask("audit:read tokens:read").await.expect(200).json()["scope"],
        "tokens:read audit:read"
    );
    ask("audit:read agents:write")
        .await
        .expect_oauth_error(400, "invalid_scope");
    // The default scope is not among them, and nothing else may be given instead.
    ask("").await.expect_oauth_error(400, "invalid_scope");
    let listed = listed(&admin, &agent, "").await;
    assert_eq!(
        listed[0]["scopes"],
        json!(["tokens:read", "audit:read"]),
        "as a list, as it was given"
    );
}

async fn a_rotated_secret_dies_at_once(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let old = admin.new_client().await;
    let token = node.token(&old, "").await;
    let answer = admin
        .post(&format!("{}/rotate", path(&old)), &json!({}))
        .send()
        .await
        .expect(200);
    assert!(answer.header("cache-control").contains("no-store"));
    let new = Client::of_credential(&answer.json());
    assert_eq!((&new.id, &new.credential), (&old.id, &old.credential));
    assert_ne!(new.secret, old.secret);
    let _ = try_token(&node, &new).await.expect(200);
    try_token(&node, &old).await.expect_oauth_error(401, "invalid_client");
    assert!(
        node.is_active(&token).await,
        "rotation replaces the secret; the credential and its tokens live on"
    );
}

async fn a_rotated_secret_lives_on_during_an_overlap(backend: Backend) {
    let mut node = Node::start(backend).await;
    let admin = node.admin().await;
    let old = admin.new_client().await;
    let rotate = |body: Value| admin.post(&format!("{}/rotate", path(&old)), &body).send();
    let new = Client::of_credential(&rotate(json!({ "overlapSeconds": 86400 })).await.expect(200).json());
    for client in [&old, &new] {
        let _ = try_token(&node, client).await.expect(200);
    }
    node.kill();
    node.start_again().await;
    for client in [&old, &new] {
        let _ = try_token(&node, client).await.expect(200);
    }
    // A second rotation ends the first one's overlap: at most one former secret works.
    let newest = Client::of_credential(&rotate(json!({ "overlapSeconds": 1 })).await.expect(200).json());
    try_token(&node, &old).await.expect_oauth_error(401, "invalid_client");
    let _ = try_token(&node, &newest).await.expect(200);
    eventually("the overlap to end", async || {
        (try_token(&node, &new).await.status == 401).then_some(())
    })
    .await;
    let _ = try_token(&node, &newest).await.expect(200);
}

async fn a_rotation_checks_its_fields(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let body = json!({ "overlapSeconds": 86401, "expiresAt": "2001-01-01T00:00:00Z", "scopes": ["agents:read"] });
    let answer = admin.post(&format!("{}/rotate", path(&client)), &body).send().await;
    answer.expect_error(400, "VALIDATION_ERROR");
    assert_eq!(answer.bad_fields(), ["expiresAt", "overlapSeconds", "scopes"]);
    for overlap in [json!(-1), json!(1.5), json!("10"), json!(1e30)] {
        let answer = admin
            .post(
                &format!("{}/rotate", path(&client)),
                &json!({ "overlapSeconds": overlap }),
            )
            .send()
            .await;
        answer.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(answer.bad_fields(), ["overlapSeconds"]);
    }
    let _ = try_token(&node, &client).await.expect(200);
}

async fn a_revoked_credential_authenticates_nobody_and_can_not_come_back(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let token = node.token(&client, "").await;
    let _ = admin.delete(&path(&client)).send().await.expect(204);
    try_token(&node, &client)
        .await
        .expect_oauth_error(401, "invalid_client");
    assert!(!node.is_active(&token).await && !node.accepts_bearer(&token).await);
    admin
        .delete(&path(&client))
        .send()
        .await
        .expect_error(409, "CREDENTIAL_ALREADY_REVOKED");
    let rotate = admin
        .post(&format!("{}/rotate", path(&client)), &json!({}))
        .send()
        .await;
    rotate.expect_error(409, "CREDENTIAL_ALREADY_REVOKED");
    let listed = listed(&admin, &client.id, "").await;
    assert_eq!(listed[0]["status"], "revoked");
    assert!(listed[0]["revokedAt"].is_string());
}

async fn an_expired_credential_authenticates_nobody(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    // The time is the server's, read from a token, so that the test needs no clock.
    let now = jwt::parts(&node.token(&node.admin, "").await).1["iat"]
        .as_i64()
        .expect("iat");
    let soon = rfc3339(now + 3);
    let client = admin.new_secret(&agent, &json!({ "expiresAt": soon })).await;
    assert_eq!(listed(&admin, &agent, "").await[0]["expiresAt"], soon);
    let answer = eventually("the credential to expire", async || {
        Some(try_token(&node, &client).await).filter(|answer| answer.status != 200)
    })
    .await;
    answer.expect_oauth_error(401, "invalid_client");
    let lasting = admin
        .new_secret(&agent, &json!({ "expiresAt": rfc3339(now + 86_400) }))
        .await;
    let _ = try_token(&node, &lasting).await.expect(200);
}

/// RFC 3339 in UTC with milliseconds (civil-from-days, by counting years and months).
fn rfc3339(unix: i64) -> String {
    let (mut days, seconds) = (unix / 86_400, unix % 86_400);
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + i64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!(
        "{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.000Z",
        month + 1,
        days + 1
    )
}

async fn every_bad_field_is_named(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let post = |body: Value| admin.post(&format!("/api/v1/agents/{agent}/credentials"), &body).send();
    let answer = post(json!({ "expiresAt": "2001-01-01T00:00:00Z", "scopes": [], "secret": "mine" })).await;
    answer.expect_error(400, "VALIDATION_ERROR");
    assert_eq!(answer.bad_fields(), ["expiresAt", "scopes", "secret"]);
    for (name, value) in [
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!(1_900_000_000)),
        ("expiresAt", json!("2099-13-01T00:00:00Z")),
        ("expiresAt", json!("2099-01-01")),
        ("scopes", json!(["agents:fly"])),
        ("scopes", json!([7])),
        ("scopes", json!({})),
        ("scopes", json!(vec!["agents:read"; 10_000])),
    ] {
        let answer = post(json!({ name: value })).await;
        answer.expect_error(400, "VALIDATION_ERROR");
        assert!(
            answer.bad_fields().iter().all(|field| field.starts_with(name)),
            "{answer:?}"
        );
    }
    assert!(listed(&admin, &agent, "").await.is_empty());
}

async fn only_an_active_agent_gets_a_credential(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    for status in ["suspended", "decommissioned"] {
        admin.set_status(&agent, status).await;
        let answer = admin
            .post(&format!("/api/v1/agents/{agent}/credentials"), &json!({}))
            .send()
            .await;
        answer.expect_error(400, "AGENT_NOT_ACTIVE");
    }
}

async fn credentials_of_another_agent_are_not_found(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let (one, two) = (admin.new_client().await, admin.new_client().await);
    let crossed = Client {
        credential: two.credential.clone(),
        ..one.clone()
    };
    for credential in [
        &path(&crossed),
        &format!("/api/v1/agents/{}/credentials/not-a-uuid", one.id),
    ] {
        admin
            .delete(credential)
            .send()
            .await
            .expect_error(404, "CREDENTIAL_NOT_FOUND");
        let rotate = admin.post(&format!("{credential}/rotate"), &json!({})).send().await;
        rotate.expect_error(404, "CREDENTIAL_NOT_FOUND");
    }
    let _ = try_token(&node, &two).await.expect(200);
}

async fn an_agent_without_admin_orgs_manages_its_own_only(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let (own, other) = (admin.new_client().await, admin.new_client().await);
    let session = node.session(&own, "agents:read agents:write").await;
    for request in [
        session.post(&format!("/api/v1/agents/{}/credentials", other.id), &json!({})),
        session.post(&format!("{}/rotate", path(&other)), &json!({})),
        session.delete(&path(&other)),
    ] {
        assert_eq!(request.send().await.status, 403);
    }
    let _ = try_token(&node, &other).await.expect(200);
    let second = session.new_secret(&own.id, &json!({})).await;
    let _ = session.delete(&path(&second)).send().await.expect(204);
}

async fn what_a_token_does_not_hold_is_not_handed_on(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let narrow = node.session(&client, "agents:write").await;
    let own = format!("/api/v1/agents/{}/credentials", client.id);
    let made = narrow.post(&own, &json!({})).send().await.expect(201).json();
    assert_eq!(made["scopes"], json!(["agents:write"]));
    let wider = json!({ "scopes": ["audit:read"] });
    let refused = narrow.post(&own, &wider).send().await;
    refused.expect_error(403, "INSUFFICIENT_SCOPE");
    assert_eq!(
        refused.json()["details"]["requiredScope"],
        "agents:write audit:read",
        "what to ask for"
    );
    let _ = node
        .session(&client, "agents:write audit:read")
        .await
        .post(&own, &wider)
        .send()
        .await
        .expect(201);
    for request in [
        narrow.delete(&format!("/api/v1/agents/{}", node.admin.id)),
        narrow.patch(
            &format!("/api/v1/agents/{}", node.admin.id),
            &json!({ "status": "suspended" }),
        ),
    ] {
        request.send().await.expect_error(403, "INSUFFICIENT_SCOPE");
    }
    let _ = node.token(&node.admin, "admin:orgs").await;
}

async fn an_agent_has_at_most_twenty(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    for _ in 1..20 {
        let _ = admin.new_secret(&client.id, &json!({})).await;
    }
    let own = format!("/api/v1/agents/{}/credentials", client.id);
    let refused = admin.post(&own, &json!({})).send().await;
    refused.expect_error(409, "CREDENTIAL_LIMIT_EXCEEDED");
    let _ = admin.delete(&path(&client)).send().await.expect(204);
    let _ = admin.new_secret(&client.id, &json!({})).await;
}

async fn the_time_of_the_last_use_is_noted(backend: Backend) {
    let mut node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let _ = node.token(&client, "").await;
    // Written in bulk; an orderly stop flushes what is waiting.
    node.stop().await;
    node.start_again().await;
    let listed = listed(&admin, &client.id, "").await;
    assert!(listed[0]["lastUsedAt"].is_string(), "{listed:?}");
}
