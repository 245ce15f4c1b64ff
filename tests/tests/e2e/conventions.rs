//! What holds for every route: request ids, security headers, exact 404, 405 and 413, JSON everywhere.

use e2e::{Backend, Node, NodeOptions, Wire, on_both_stores, wire};
use serde_json::json;

on_both_stores!(
    a_sane_request_id_is_echoed,
    an_insane_request_id_is_replaced,
    every_answer_carries_the_security_headers,
    an_unknown_path_is_404_in_json,
    a_wrong_method_is_405_and_names_the_right_ones,
    head_is_get_without_a_body,
    a_body_beyond_the_limit_is_413_announced_or_not,
    the_body_limit_can_be_set,
    browsers_are_not_let_in_unless_told,
    the_request_id_and_its_stage_are_in_the_log,
    management_errors_have_one_shape,
    oauth_endpoints_speak_oauth_also_when_http_is_at_fault,
);

async fn a_sane_request_id_is_echoed(backend: Backend) {
    let node = Node::start(backend).await;
    let longest = "x".repeat(128);
    for id in ["0192f0c1-2b3d-7a4e-8f00-0123456789ab", "a", "Trace:1.2_3-4", &longest] {
        for path in ["/health", "/api/v1/agents", "/nowhere"] {
            let answer = node.api().get(path).header("x-request-id", id).send().await;
            assert_eq!(answer.header("x-request-id"), id, "{path}");
        }
    }
}

async fn an_insane_request_id_is_replaced(backend: Backend) {
    let node = Node::start(backend).await;
    let too_long = "x".repeat(129);
    let mut minted = Vec::new();
    for id in [
        "",
        " ",
        "a b",
        "a\tb",
        "a;b",
        "\"quoted\"",
        "<script>",
        "%0d%0a",
        "ä",
        &too_long,
    ] {
        let answer = node.api().get("/health").header("x-request-id", id).send().await;
        let new = answer.header("x-request-id").to_owned();
        assert!(new != id && new.len() == 36, "{id:?} became {new:?}");
        minted.push(new);
    }
    let without = node.api().get("/health").send().await;
    minted.push(without.header("x-request-id").to_owned());
    minted.sort();
    minted.dedup();
    assert_eq!(minted.len(), 11, "each is minted anew");
}

async fn every_answer_carries_the_security_headers(backend: Backend) {
    let node = Node::start(backend).await;
    for (method, path) in [
        ("GET", "/health"),
        ("GET", "/nowhere"),
        ("PUT", "/oauth2/token"),
        ("POST", "/oauth2/token"),
        ("GET", "/api/v1/agents"),
    ] {
        let answer = node.api().request(method, path).send().await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{method} {path}");
        assert_eq!(
            answer.header("x-frame-options").to_ascii_uppercase(),
            "DENY",
            "{method} {path}"
        );
        assert!(
            answer.header("content-security-policy").contains("default-src 'none'"),
            "{method} {path}"
        );
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "without TLS it must not be sent (RFC 6797 §7.2)"
        );
        assert_eq!(answer.header("server"), "", "nobody needs to know the software");
    }
}

async fn an_unknown_path_is_404_in_json(backend: Backend) {
    let node = Node::start(backend).await;
    let paths = [
        "/",
        "/nowhere",
        "/api/v1",
        "/api/v1/agents/",
        "/api/v1/agents/x/y/z",
        "/OAUTH2/TOKEN",
        "/oauth2/token/",
        "/api/v2/agents",
        "/metrics",
    ];
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            node.api()
                .request(method, path)
                .send()
                .await
                .expect_error(404, "NOT_FOUND");
        }
    }
    // Two slashes, dots and escapes are not resolved into another path.
    for line in [
        "GET //nowhere HTTP/1.1",
        "GET /api/v1/../v1/agents HTTP/1.1",
        "GET /%6fauth2/jwks HTTP/1.1",
        "GET /health/. HTTP/1.1",
    ] {
        let answer = wire::exchange(
            node.place.address(),
            format!("{line}\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
        .await;
        assert_eq!(wire::status(&answer), Some(404), "{line}: {answer}");
    }
}

async fn a_wrong_method_is_405_and_names_the_right_ones(backend: Backend) {
    let node = Node::start(backend).await;
    let id = "01900000-0000-7000-8000-000000000000";
    for (path, allowed) in [
        ("/oauth2/token".to_owned(), vec!["POST"]),
        ("/oauth2/introspect".to_owned(), vec!["POST"]),
        ("/oauth2/revoke".to_owned(), vec!["POST"]),
        ("/health".to_owned(), vec!["GET", "HEAD"]),
        ("/.well-known/jwks.json".to_owned(), vec!["GET", "HEAD"]),
        ("/api/v1/agents".to_owned(), vec!["GET", "HEAD", "POST"]),
        (format!("/api/v1/agents/{id}"), vec!["DELETE", "GET", "HEAD", "PATCH"]),
        (format!("/api/v1/agents/{id}/credentials"), vec!["GET", "HEAD", "POST"]),
        (format!("/api/v1/agents/{id}/credentials/{id}"), vec!["DELETE"]),
        (format!("/api/v1/agents/{id}/credentials/{id}/rotate"), vec!["POST"]),
        ("/api/v1/audit".to_owned(), vec!["GET", "HEAD"]),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let answer = node.api().request(method, &path).send().await;
            if allowed.contains(&method) {
                assert_ne!(answer.status, 405, "{method} {path}");
                continue;
            }
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            let mut named: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
            named.sort_unstable();
            assert_eq!(named, allowed, "{method} {path}");
            assert!(answer.header("content-type").starts_with("application/json"));
        }
    }
}

async fn head_is_get_without_a_body(backend: Backend) {
    let node = Node::start(backend).await;
    for path in ["/health", "/.well-known/jwks.json"] {
        let (get, head) = (
            node.api().get(path).send().await,
            node.api().request("HEAD", path).send().await,
        );
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"));
    }
    assert_eq!(node.api().request("HEAD", "/nowhere").send().await.status, 404);
}

async fn a_body_beyond_the_limit_is_413_announced_or_not(backend: Backend) {
    let node = Node::start(backend).await;
    let address = node.place.address();
    // Announced: refused before a byte of it is read.
    let head = "POST /api/v1/agents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let mut announced = Wire::to(address).await;
    announced
        .send(format!("{head}Content-Length: {}\r\n\r\n", 256 * 1024 + 1))
        .await;
    let (status, text) = announced.response().await.expect("an answer");
    assert!(status == 413 && text.contains("PAYLOAD_TOO_LARGE"), "{text}");
    // Not announced: refused as soon as the limit is passed.
    let mut chunked = Wire::to(address).await;
    chunked.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await;
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..17 {
        chunked.send(&chunk).await;
    }
    let (status, text) = chunked.response().await.expect("an answer");
    assert!(status == 413 && text.contains("PAYLOAD_TOO_LARGE"), "{text}");
    // A megabyte, as ordinary clients send it.
    let big = vec![b' '; 1024 * 1024];
    let token = node.token(&node.admin, "agents:write").await;
    let answer = node
        .api()
        .post("/api/v1/agents")
        .bearer(&token)
        .body("application/json", big)
        .send()
        .await;
    answer.expect_error(413, "PAYLOAD_TOO_LARGE");
    // At the limit it is read, and refused for what it says.
    let exact = vec![b' '; 256 * 1024];
    let answer = node
        .api()
        .post("/api/v1/agents")
        .bearer(&token)
        .body("application/json", exact)
        .send()
        .await;
    answer.expect_error(400, "VALIDATION_ERROR");
}

async fn the_body_limit_can_be_set(backend: Backend) {
    let node = NodeOptions::on(backend).set("server.body_limit", 1000).start().await;
    let answer = node
        .api()
        .post("/oauth2/token")
        .body("application/x-www-form-urlencoded", vec![b'a'; 1001])
        .send()
        .await;
    assert_eq!(answer.status, 413, "{answer:?}");
    node.check_it_works().await;
}

async fn browsers_are_not_let_in_unless_told(backend: Backend) {
    let node = Node::start(backend).await;
    let ask = |node: &Node, method: &str, origin: &str| {
        node.api()
            .request(method, "/oauth2/token")
            .header("origin", origin)
            .send()
    };
    let preflight = ask(&node, "OPTIONS", "https://console.example").await;
    assert_eq!(preflight.header("access-control-allow-origin"), "");
    let told = NodeOptions::on(backend)
        .set("server.cors_origins", "https://console.example")
        .start()
        .await;
    let allowed = ask(&told, "OPTIONS", "https://console.example").await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://console.example");
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
    let real = ask(&told, "POST", "https://console.example").await;
    assert_eq!(real.header("access-control-allow-origin"), "https://console.example");
    let stranger = ask(&told, "POST", "https://evil.example").await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
    let null = ask(&told, "OPTIONS", "null").await;
    assert_eq!(null.header("access-control-allow-origin"), "");
}

async fn the_request_id_and_its_stage_are_in_the_log(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("telemetry.log_level", "debug")
        .start()
        .await;
    let id = "find-me-in-the-log-0001";
    let _ = node
        .api()
        .get("/api/v1/agents")
        .bearer("nonsense")
        .header("x-request-id", id)
        .send()
        .await;
    let names_request_and_stage = |line: &str| line.contains(id) && line.contains(r#""name":"access""#);
    e2e::eventually("a line with the request's id and its stage", async || {
        node.place.log().lines().any(names_request_and_stage).then_some(())
    })
    .await;
}

async fn management_errors_have_one_shape(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    admin
        .get("/api/v1/agents/x")
        .send()
        .await
        .expect_error(404, "AGENT_NOT_FOUND");
    admin
        .post("/api/v1/agents", &json!({}))
        .send()
        .await
        .expect_error(400, "VALIDATION_ERROR");
    admin.get("/nowhere").send().await.expect_error(404, "NOT_FOUND");
    admin
        .post("/api/v1/audit", &json!({}))
        .send()
        .await
        .expect_error(405, "METHOD_NOT_ALLOWED");
    let anonymous = node.api().get("/api/v1/agents").send().await;
    anonymous.expect_error(401, "UNAUTHORIZED");
}

/// A client library reads `error` and `error_description` from whatever is not 200 at these endpoints (RFC 6749 §5.2).
async fn oauth_endpoints_speak_oauth_also_when_http_is_at_fault(backend: Backend) {
    let node = Node::start(backend).await;
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let wrong_type = node
            .api()
            .post(path)
            .basic(&node.admin)
            .json(&json!({ "grant_type": "client_credentials" }))
            .send()
            .await;
        wrong_type.expect_oauth_error(400, "invalid_request");
        let no_type = node.api().post(path).basic(&node.admin).send().await;
        no_type.expect_oauth_error(400, "invalid_request");
        let too_large = node
            .api()
            .post(path)
            .body("application/x-www-form-urlencoded", vec![b'a'; 300_000])
            .send()
            .await;
        assert_eq!(too_large.status, 413, "{path}");
        assert_eq!(too_large.json()["error"], "invalid_request", "{path}: {too_large:?}");
        let wrong_method = node.api().get(path).send().await;
        assert_eq!(wrong_method.status, 405);
        assert_eq!(
            wrong_method.json()["error"],
            "invalid_request",
            "{path}: {wrong_method:?}"
        );
    }
    let weak = node.token(&node.admin, "agents:read").await;
    let answer = node
        .api()
        .post("/oauth2/introspect")
        .bearer(&weak)
        .form(&[("token", &weak)])
        .send()
        .await;
    answer.expect_oauth_error(403, "insufficient_scope");
}
