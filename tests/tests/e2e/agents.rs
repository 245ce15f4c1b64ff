//! Agents, one at a time: registered, read, changed, suspended and ended.

use e2e::session::agent_body;
use e2e::{Backend, Node, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    an_agent_is_registered_and_read_back,
    an_email_is_unique_among_the_living_whatever_its_case,
    every_bad_field_is_named_at_once,
    values_at_their_limits_are_taken_and_beyond_are_not,
    an_unknown_field_is_refused,
    a_body_that_is_no_json_object_is_refused,
    an_agent_that_does_not_exist_is_not_found,
    fields_are_changed_one_by_one,
    a_change_names_every_bad_field_too,
    status_moves_between_active_and_suspended_and_ends_in_decommissioned,
    a_stale_etag_is_refused_and_changes_nothing,
    two_changes_at_once_of_the_same_revision_do_not_both_win,
);

fn path(agent: &Value) -> String {
    format!(
        "/api/v1/agents/{}",
        agent["agentId"].as_str().expect("an agent has an id")
    )
}

async fn an_agent_is_registered_and_read_back(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let body = agent_body();
    let created = admin.post("/api/v1/agents", &body).send().await.expect(201);
    assert!(!created.header("etag").is_empty());
    let agent = created.json();
    for (name, value) in body.as_object().expect("an object") {
        assert_eq!(&agent[name], value, "{name}");
    }
    assert_eq!(
        (&agent["status"], &agent["isPublic"]),
        (&json!("active"), &json!(false))
    );
    assert_eq!(agent["organizationId"], node.announcement.0["organizationId"]);
    assert_eq!(agent["createdAt"], agent["updatedAt"]);
    assert_is_timestamp(&agent["createdAt"]);
    let mut members: Vec<&str> = agent
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    let mut promised = [
        "agentId",
        "organizationId",
        "email",
        "agentType",
        "version",
        "capabilities",
        "owner",
        "deploymentEnv",
        "status",
        "isPublic",
        "did",
        "createdAt",
        "updatedAt",
    ];
    promised.sort_unstable();
    assert_eq!(members, promised);
    let read = admin.get(&path(&agent)).send().await.expect(200);
    assert_eq!((read.json(), read.header("etag")), (agent, created.header("etag")));
}

/// RFC 3339, UTC, milliseconds: `2026-01-31T12:00:00.000Z`.
fn assert_is_timestamp(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("a timestamp: {value}"));
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
}

async fn an_email_is_unique_among_the_living_whatever_its_case(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let mut body = agent_body();
    let agent = admin.post("/api/v1/agents", &body).send().await.expect(201).json();
    body["email"] = json!(agent["email"].as_str().expect("an email").to_uppercase());
    admin
        .post("/api/v1/agents", &body)
        .send()
        .await
        .expect_error(409, "AGENT_ALREADY_EXISTS");
    let other = admin.new_agent().await;
    admin
        .patch(&path(&other), &json!({ "email": agent["email"] }))
        .send()
        .await
        .expect_error(409, "AGENT_ALREADY_EXISTS");
    let _ = admin.delete(&path(&agent)).send().await.expect(204);
    let _ = admin.post("/api/v1/agents", &body).send().await.expect(201);
}

async fn every_bad_field_is_named_at_once(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let body = json!({
        "email": "not an address", "agentType": "wizard", "version": "1", "capabilities": ["resume"], "owner": "",
        "deploymentEnv": "moon", "isPublic": "yes", "status": "active",
    });
    let answer = admin.post("/api/v1/agents", &body).send().await;
    answer.expect_error(400, "VALIDATION_ERROR");
    let fields = answer.bad_fields();
    for name in [
        "agentType",
        "deploymentEnv",
        "email",
        "isPublic",
        "owner",
        "status",
        "version",
    ] {
        assert!(fields.iter().any(|field| field == name), "{name} in {fields:?}");
    }
    assert!(
        fields.iter().any(|field| field.starts_with("capabilities")),
        "{fields:?}"
    );
    let empty = admin.post("/api/v1/agents", &json!({})).send().await;
    empty.expect_error(400, "VALIDATION_ERROR");
    assert_eq!(
        empty.bad_fields(),
        ["agentType", "deploymentEnv", "email", "owner", "version"]
    );
    let nulls = admin
        .post("/api/v1/agents", &json!({ "email": null, "version": null }))
        .send()
        .await;
    assert_eq!(
        nulls.bad_fields(),
        ["agentType", "deploymentEnv", "email", "owner", "version"]
    );
}

async fn values_at_their_limits_are_taken_and_beyond_are_not(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let with = |name: &str, value: Value| {
        let mut body = agent_body();
        body[name] = value;
        body
    };
    let many = |count: usize| {
        json!(
            (0..count)
                .map(|index| format!("resource{index}:read"))
                .collect::<Vec<_>>()
        )
    };
    for body in [
        with("owner", json!("ü".repeat(256))),
        with("capabilities", many(64)),
        with("capabilities", json!([])),
        with("version", json!("1.0.0-rc.1+b5")),
    ] {
        let _ = admin.post("/api/v1/agents", &body).send().await.expect(201);
    }
    let long_email = format!("{}@agents.example", "a".repeat(65));
    for (name, value) in [
        ("owner", json!("ü".repeat(257))),
        ("owner", json!("a\u{0}b")),
        ("owner", json!(7)),
        ("email", json!(long_email)),
        ("version", json!("1.2.3.4")),
        ("version", json!("9".repeat(65))),
        ("capabilities", many(65)),
        ("capabilities", json!(["*:read"])),
        ("capabilities", json!("resume:read")),
        ("isPublic", json!(1)),
    ] {
        let answer = admin.post("/api/v1/agents", &with(name, value)).send().await;
        answer.expect_error(400, "VALIDATION_ERROR");
        let fields = answer.bad_fields();
        assert!(fields.len() == 1 && fields[0].starts_with(name), "{name}: {fields:?}");
    }
}

async fn an_unknown_field_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    for name in ["agentId", "organizationId", "role", "__proto__"] {
        let mut body = agent_body();
        body[name] = json!("x");
        let answer = admin.post("/api/v1/agents", &body).send().await;
        answer.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(answer.bad_fields(), [name]);
    }
}

async fn a_body_that_is_no_json_object_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let post = || node.api().post("/api/v1/agents").bearer(&admin.token);
    for text in [
        "{",
        "[]",
        "null",
        "\"text\"",
        "{\"a\":1}trailing",
        "{'a':1}",
        "\u{feff}{}",
        "nul",
    ] {
        let answer = post().body("application/json", text).send().await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
    post()
        .body("application/json", [0xff, 0xfe, b'{', b'}'])
        .send()
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let deep = format!("{{\"owner\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    post()
        .body("application/json", deep)
        .send()
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let twice = r#"{"owner":"one","owner":"two"}"#;
    assert_eq!(post().body("application/json", twice).send().await.status, 400);
    post()
        .body("text/plain", agent_body().to_string())
        .send()
        .await
        .expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    post()
        .form(&[("owner", "x")])
        .send()
        .await
        .expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    let with_charset = post()
        .body("application/json; charset=utf-8", agent_body().to_string())
        .send()
        .await;
    let _ = with_charset.expect(201);
}

async fn an_agent_that_does_not_exist_is_not_found(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    for id in [
        "01900000-0000-7000-8000-000000000000",
        "not-a-uuid",
        "%00",
        "01900000-0000-7000-8000-00000000000%30",
    ] {
        let path = format!("/api/v1/agents/{id}");
        admin.get(&path).send().await.expect_error(404, "AGENT_NOT_FOUND");
        admin
            .patch(&path, &json!({ "owner": "x" }))
            .send()
            .await
            .expect_error(404, "AGENT_NOT_FOUND");
        admin.delete(&path).send().await.expect_error(404, "AGENT_NOT_FOUND");
        admin
            .get(&format!("{path}/credentials"))
            .send()
            .await
            .expect_error(404, "AGENT_NOT_FOUND");
        admin
            .post(&format!("{path}/credentials"), &json!({}))
            .send()
            .await
            .expect_error(404, "AGENT_NOT_FOUND");
    }
}

async fn fields_are_changed_one_by_one(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let mut agent = admin.new_agent().await;
    let changes = json!({
        "email": "renamed@agents.example", "agentType": "router", "version": "2.0.0", "capabilities": ["mail:send"], "owner": "somebody else",
        "deploymentEnv": "production", "isPublic": true,
    });
    for (name, value) in changes.as_object().expect("an object") {
        let changed = admin
            .patch(&path(&agent), &json!({ name: value }))
            .send()
            .await
            .expect(200)
            .json();
        agent[name] = value.clone();
        agent["updatedAt"] = changed["updatedAt"].clone();
        assert_eq!(changed, agent);
    }
    assert_eq!(admin.get(&path(&agent)).send().await.expect(200).json(), agent);
}

async fn a_change_names_every_bad_field_too(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await;
    let answer = admin
        .patch(
            &path(&agent),
            &json!({ "status": "asleep", "version": "x", "agentId": "y" }),
        )
        .send()
        .await;
    answer.expect_error(400, "VALIDATION_ERROR");
    assert_eq!(answer.bad_fields(), ["agentId", "status", "version"]);
    assert_eq!(admin.get(&path(&agent)).send().await.expect(200).json(), agent);
}

async fn status_moves_between_active_and_suspended_and_ends_in_decommissioned(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await;
    let id = agent["agentId"].as_str().expect("an id");
    for status in ["suspended", "suspended", "active", "suspended", "decommissioned"] {
        admin.set_status(id, status).await;
    }
    for status in ["active", "suspended", "decommissioned"] {
        let answer = admin.patch(&path(&agent), &json!({ "status": status })).send().await;
        answer.expect_error(409, "AGENT_ALREADY_DECOMMISSIONED");
    }
    admin
        .delete(&path(&agent))
        .send()
        .await
        .expect_error(409, "AGENT_ALREADY_DECOMMISSIONED");
    assert_eq!(
        admin.get(&path(&agent)).send().await.expect(200).json()["status"],
        "decommissioned"
    );
}

async fn a_stale_etag_is_refused_and_changes_nothing(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await;
    let first = admin.get(&path(&agent)).send().await.expect(200);
    let change = |owner: &str, etag: &str| {
        admin
            .patch(&path(&agent), &json!({ "owner": owner }))
            .header("if-match", etag)
    };
    let second = change("one", first.header("etag")).send().await.expect(200);
    assert_ne!(first.header("etag"), second.header("etag"));
    change("two", first.header("etag"))
        .send()
        .await
        .expect_error(412, "PRECONDITION_FAILED");
    change("two", "nonsense")
        .send()
        .await
        .expect_error(412, "PRECONDITION_FAILED");
    let delete = admin
        .delete(&path(&agent))
        .header("if-match", first.header("etag"))
        .send()
        .await;
    delete.expect_error(412, "PRECONDITION_FAILED");
    assert_eq!(admin.get(&path(&agent)).send().await.expect(200).json()["owner"], "one");
    let _ = change("three", "*").send().await.expect(200);
    let latest = admin.get(&path(&agent)).send().await.expect(200);
    let _ = admin
        .delete(&path(&agent))
        .header("if-match", latest.header("etag"))
        .send()
        .await
        .expect(204);
}

async fn two_changes_at_once_of_the_same_revision_do_not_both_win(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await;
    let etag = admin
        .get(&path(&agent))
        .send()
        .await
        .expect(200)
        .header("etag")
        .to_owned();
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..8 {
        let request = admin
            .patch(&path(&agent), &json!({ "owner": format!("owner {index}") }))
            .header("if-match", &etag);
        tasks.spawn(request.send());
    }
    let mut statuses: Vec<u16> = tasks.join_all().await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}
