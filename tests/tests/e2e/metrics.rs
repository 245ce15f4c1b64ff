//! `/metrics` on the operators' listener: what happened, without telling to whom.

use e2e::{Backend, Node, on_both_stores};

on_both_stores!(what_happens_is_counted, labels_hold_no_ids, agents_can_not_reach_them);

async fn scrape(node: &Node) -> String {
    let answer = node.operator().get("/metrics").send().await.expect(200);
    assert!(
        answer.header("content-type").starts_with("text/plain"),
        "{:?}",
        answer.headers
    );
    answer.text()
}

/// The sum of the samples of a metric that have all of these labels.
fn sample(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let values: Vec<f64> = text
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| {
            labels
                .iter()
                .all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")))
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

async fn what_happens_is_counted(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let token = node.token(&client, "").await;
    assert!(node.is_active(&token).await && !node.is_active("nonsense").await);
    let _ = node
        .api()
        .post("/oauth2/revoke")
        .basic(&client)
        .form(&[("token", &token)])
        .send()
        .await
        .expect(200);
    let wrong = client.with_secret("sk_live_0");
    let _ = node
        .api()
        .post("/oauth2/token")
        .basic(&wrong)
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .expect(401);
    let _ = node.api().get("/nowhere").send().await.expect(404);
    let text = scrape(&node).await;
    let counted = |name: &str, labels: &[(&str, &str)]| {
        sample(&text, &format!("agentidp_{name}"), labels).unwrap_or_else(|| panic!("{name} {labels:?} in\n{text}"))
    };
    let token_route = [("method", "POST"), ("route", "/oauth2/token")];
    assert!(
        counted(
            "http_requests_total",
            &[token_route[0], token_route[1], ("status_code", "200")]
        ) >= 2.0
    );
    assert!(
        counted(
            "http_requests_total",
            &[token_route[0], token_route[1], ("status_code", "401")]
        ) >= 1.0
    );
    assert!(counted("http_requests_total", &[("status_code", "404")]) >= 1.0);
    assert!(counted("http_request_duration_seconds_count", &token_route) >= 3.0);
    assert!(
        counted(
            "tokens_issued_total",
            &[("grant", "client_credentials"), ("alg", "EdDSA")]
        ) >= 2.0
    );
    assert!(counted("token_introspections_total", &[("active", "true")]) >= 1.0);
    assert!(counted("token_introspections_total", &[("active", "false")]) >= 1.0);
    assert!(counted("token_revocations_total", &[("kind", "token")]) >= 1.0);
    assert!(counted("agents_registered_total", &[("deployment_env", "staging")]) >= 1.0);
    assert!(counted("auth_failures_total", &[]) >= 1.0);
    assert!(counted("raft_term", &[]) >= 1.0);
    assert!((counted("raft_is_leader", &[]) - 1.0).abs() < f64::EPSILON);
    assert!(counted("raft_last_applied_index", &[]) >= 1.0);
    assert!(counted("revocation_staleness_seconds", &[]) < 5.0);
    assert!(counted("revocation_set_size", &[]) >= 1.0);
    assert!(counted("audit_batch_size_count", &[]) >= 1.0);
    assert!(counted("audit_commit_duration_seconds_count", &[]) >= 1.0);
    for operation in [
        "ping",
        "organizations.find_by_slug",
        "agents.register",
        "credentials.create",
        "clients.load",
        "audit_trail.append",
    ] {
        assert!(counted("db_query_duration_seconds_count", &[("operation", operation)]) >= 1.0);
    }
    assert!(counted("actors_live", &[]) >= 1.0);
    assert!(counted("signing_keys", &[]) >= 3.0);
    for alg in ["EdDSA", "ES256", "RS256"] {
        let age = counted("signing_key_age_seconds", &[("alg", alg)]);
        assert!((0.0..600.0).contains(&age), "{age}");
    }
    assert!(text.contains("commit=\""), "{text}");
    assert!((counted("build_info", &[]) - 1.0).abs() < f64::EPSILON);
}

/// Each label value is a series that lives for ever: ids would fill the memory of whoever scrapes, and tell who did what.
async fn labels_hold_no_ids(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let _ = admin
        .get(&format!("/api/v1/agents/{}", client.id))
        .send()
        .await
        .expect(200);
    let _ = admin.get(&format!("/nowhere/{}", client.id)).send().await.expect(404);
    let _ = admin
        .get(&format!("/api/v1/agents/{}/credentials", client.id))
        .send()
        .await
        .expect(200);
    let _ = node.api().request("BREW", "/health").send().await.expect(405);
    let text = scrape(&node).await;
    assert!(
        !text.contains(&client.id) && !text.contains(&client.credential) && !text.contains('@'),
        "{text}"
    );
    assert!(
        !text.contains("BREW"),
        "a method that nobody knows is a label that anybody can make"
    );
    assert!(
        text.contains("/api/v1/agents/{agentId}"),
        "routes are named by their templates: {text}"
    );
}

async fn agents_can_not_reach_them(backend: Backend) {
    let node = Node::start(backend).await;
    node.api().get("/metrics").send().await.expect_error(404, "NOT_FOUND");
    node.operator()
        .post("/oauth2/token")
        .send()
        .await
        .expect_error(404, "NOT_FOUND");
}
