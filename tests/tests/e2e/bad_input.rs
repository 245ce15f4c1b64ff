//! Bytes that no decent client sends: refused with a sentence, never with a 500, and the node goes on.

use e2e::node::token_form;
use e2e::{Answer, Backend, Node, on_both_stores, wire};
use serde_json::json;

on_both_stores!(
    malformed_forms_are_refused,
    a_parameter_that_is_sent_twice_is_refused,
    malformed_basic_headers_are_refused,
    ten_thousand_scopes_are_refused,
    a_megabyte_is_refused_everywhere,
    a_form_of_many_kilobytes_is_refused,
    a_member_that_is_sent_twice_is_refused,
    an_answer_names_some_of_very_many_bad_fields,
    texts_that_look_like_others_are_refused,
    an_identifier_has_no_other_spelling,
    nul_bytes_are_refused_everywhere,
    requests_that_are_no_http_are_refused,
    malformed_heads_are_refused,
    huge_heads_are_refused,
    two_lengths_are_refused,
);

const FORM: &str = "application/x-www-form-urlencoded";

async fn post(node: &Node, body: impl Into<Vec<u8>>) -> Answer {
    node.api()
        .post("/oauth2/token")
        .basic(&node.admin)
        .body(FORM, body)
        .send()
        .await
}

async fn malformed_forms_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let many = (0..65).map(|index| format!("p{index}=x")).collect::<Vec<_>>().join("&");
    let long_name = format!("{}=x&grant_type=client_credentials", "n".repeat(65));
    let long_value = format!("grant_type=client_credentials&note={}", "v".repeat(8193));
    let bodies: [&[u8]; 14] = [
        b"",
        b"&&&",
        b"=",
        b"grant_type",
        b"grant_type=%",
        b"grant_type=%6",
        b"grant_type=%zz",
        b"grant_type=client_credentials%00",
        b"grant_type=\xff\xfe",
        b"grant_type=%ff%fe",
        b"{\"grant_type\":\"client_credentials\"}",
        many.as_bytes(),
        long_name.as_bytes(),
        long_value.as_bytes(),
    ];
    for body in bodies {
        let answer = post(&node, body).await;
        answer.expect_oauth_error(400, "invalid_request");
    }
    let _ = post(&node, "grant_type=client_credentials").await.expect(200);
    let _ = post(&node, "%67rant_type=client%5Fcredentials&&").await.expect(200);
}

async fn a_parameter_that_is_sent_twice_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    for body in [
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client_credentials&grant_type=password",
        "grant_type=client_credentials&scope=agents:read&scope=agents:write",
        "grant_type=client_credentials&scope=agents:read&%73cope=agents:write",
        "grant_type=client_credentials&unknown=1&unknown=2",
    ] {
        post(&node, body).await.expect_oauth_error(400, "invalid_request");
    }
}

async fn malformed_basic_headers_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let huge = format!("Basic {}", "QUFB".repeat(1500));
    for header in [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YQ",
        "Basic YWJj",
        "Basic YTo=, Basic YTo=",
        "Basic YSUwMDpi",
        "Basic Y\u{e4}",
        "Negotiate abc",
        "",
        &huge,
    ] {
        let answer = node
            .api()
            .post("/oauth2/token")
            .header("authorization", header)
            .form(&token_form(""))
            .send()
            .await;
        assert!(matches!(answer.status, 400 | 401), "{header}: {answer:?}");
        let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(
            ["invalid_client", "invalid_request"].contains(&error.as_str()),
            "{header}: {answer:?}"
        );
    }
    let twice = node
        .api()
        .post("/oauth2/token")
        .basic(&node.admin)
        .basic(&node.admin)
        .form(&token_form(""))
        .send()
        .await;
    assert!(matches!(twice.status, 400 | 401), "{twice:?}");
}

async fn ten_thousand_scopes_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let scopes = "agents:read ".repeat(10_000);
    let answer = node
        .api()
        .post("/oauth2/token")
        .basic(&node.admin)
        .form(&token_form(&scopes))
        .send()
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(["invalid_scope", "invalid_request"].contains(&answer.json()["error"].as_str().unwrap_or_default()));
    let different: Vec<String> = (0..10_000).map(|index| format!("s{index}")).collect();
    let answer = node
        .api()
        .post("/oauth2/token")
        .basic(&node.admin)
        .form(&token_form(&different.join(" ")))
        .send()
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let _ = node.token(&node.admin, "").await;
}

async fn a_megabyte_is_refused_everywhere(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let big = vec![b'a'; 1024 * 1024];
    for path in [
        "/oauth2/token",
        "/oauth2/introspect",
        "/oauth2/revoke",
        "/nowhere",
        "/health",
    ] {
        assert_eq!(
            node.api().post(path).body(FORM, big.clone()).send().await.status,
            413,
            "{path}"
        );
    }
    let agent = format!("/api/v1/agents/{}", node.admin.id);
    for (method, path) in [
        ("POST", "/api/v1/agents".to_owned()),
        ("PATCH", agent.clone()),
        ("POST", format!("{agent}/credentials")),
    ] {
        let answer = node
            .api()
            .request(method, &path)
            .bearer(&admin.token)
            .body("application/json", big.clone())
            .send()
            .await;
        assert_eq!(answer.status, 413, "{method} {path}");
    }
    let just_below = json!({ "owner": "x".repeat(200_000) });
    admin
        .patch(&agent, &just_below)
        .send()
        .await
        .expect_error(400, "VALIDATION_ERROR");
}

async fn a_form_of_many_kilobytes_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let long = vec![b'a'; 16 * 1024 + 1];
        let refused = node.api().post(path).body(FORM, long).send().await;
        let body = refused.expect_oauth_error(400, "invalid_request");
        assert!(body.to_string().contains("16384"), "{path}: {body}");
    }
    let parameters: Vec<String> = (0..5).map(|index| format!("p{index}={}", "v".repeat(3000))).collect();
    let long = format!("grant_type=client_credentials&{}", parameters.join("&"));
    let _ = post(&node, long).await.expect(200);
}

async fn a_member_that_is_sent_twice_is_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = format!("/api/v1/agents/{}", node.admin.id);
    for body in [
        r#"{"owner": "one", "owner": "other"}"#,
        r#"{"owner": "one", "\u006fwner": "one"}"#,
        r#"{"owner": null, "version": "1.0.0", "owner": "one"}"#,
    ] {
        let answer = node
            .api()
            .request("PATCH", &agent)
            .bearer(&admin.token)
            .body("application/json", body)
            .send()
            .await;
        answer.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(answer.bad_fields(), ["owner"], "{body}");
    }
}

async fn an_answer_names_some_of_very_many_bad_fields(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let members: serde_json::Map<_, _> = (0..10_000).map(|index| (format!("k{index}"), json!(1))).collect();
    let answer = admin
        .patch(&format!("/api/v1/agents/{}", node.admin.id), &members.into())
        .send()
        .await;
    let body = answer.expect_error(400, "VALIDATION_ERROR");
    assert_eq!(answer.bad_fields().len(), 50);
    assert_eq!(body["details"]["omitted"], 9950, "{body}");
    assert!(body["message"].as_str().is_some_and(|text| text.contains("9950 more")));
}

async fn texts_that_look_like_others_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = format!("/api/v1/agents/{}", node.admin.id);
    for owner in [
        "\u{202e}evil",
        "a\u{2066}b",
        "\u{200b}",
        "a\u{200d}b",
        "\u{feff}a",
        "a\u{7}b",
    ] {
        let answer = admin.patch(&agent, &json!({ "owner": owner })).send().await;
        answer.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(answer.bad_fields(), ["owner"], "{owner:?}");
    }
    let owner = "Zoë, \u{5d0}\u{5d1}, チーム";
    let answer = admin.patch(&agent, &json!({ "owner": owner })).send().await.expect(200);
    assert_eq!(answer.json()["owner"], owner);
}

async fn an_identifier_has_no_other_spelling(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let id = &node.admin.id;
    for id in [id.clone(), id.to_ascii_uppercase()] {
        let _ = admin.get(&format!("/api/v1/agents/{id}")).send().await.expect(200);
    }
    for id in [
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
    ] {
        let answer = admin.get(&format!("/api/v1/agents/{id}")).send().await;
        answer.expect_error(404, "AGENT_NOT_FOUND");
        let answer = admin.get(&format!("/api/v1/audit?agentId={id}")).send().await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
}

async fn nul_bytes_are_refused_everywhere(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        let answer = node
            .api()
            .post(path)
            .basic(&node.admin)
            .body(FORM, "token=a%00b")
            .send()
            .await;
        answer.expect_oauth_error(400, "invalid_request");
    }
    let agent = format!("/api/v1/agents/{}", node.admin.id);
    for field in ["owner", "email", "version", "agentType", "status", "a\u{0}b"] {
        let answer = admin.patch(&agent, &json!({ field: "a\u{0}b" })).send().await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
    for query in ["q=%00", "owner=a%00", "status=%00", "%00=1"] {
        admin
            .get(&format!("/api/v1/agents?{query}"))
            .send()
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    assert_eq!(admin.get("/api/v1/audit?cursor=%00").send().await.status, 400);
    assert_eq!(admin.get("/api/v1/audit/%00").send().await.status, 404);
}

/// Sends bytes over a connection of their own. A node may close it without a word, or refuse with a 4xx.
async fn assert_refused(node: &Node, what: &str, bytes: impl AsRef<[u8]>) {
    let answer = wire::exchange(node.place.address(), bytes).await;
    let status = wire::status(&answer);
    assert!(
        answer.is_empty() || status.is_some_and(|status| (400..500).contains(&status)),
        "{what}: {answer}"
    );
}

async fn requests_that_are_no_http_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let tls_hello = [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3];
    assert_refused(&node, "a TLS hello", tls_hello).await;
    assert_refused(&node, "zeros", vec![0u8; 4096]).await;
    assert_refused(&node, "high bytes", vec![0xffu8; 4096]).await;
    assert_refused(&node, "another protocol", "SSH-2.0-OpenSSH_9.6\r\n").await;
    assert_refused(&node, "half of the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM").await;
    // HTTP/2 has words of its own for a refusal (RFC 9113 §5.4.1); what matters is that the connection ends.
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let _ = wire::exchange(
        node.place.address(),
        format!("{preface}\0\0\u{7f}garbage garbage garbage"),
    )
    .await;
    node.check_it_works().await;
}

async fn malformed_heads_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    for (what, head) in [
        ("no version", "GET /health\r\n\r\n"),
        (
            "a version that does not exist",
            "GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        ),
        ("a space in the path", "GET /hea lth HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a NUL in the path", "GET /hea\0lth HTTP/1.1\r\nHost: x\r\n\r\n"),
        (
            "a NUL in a header",
            "GET /health HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
        ),
        ("a space before the colon", "GET /health HTTP/1.1\r\nHost : x\r\n\r\n"),
        ("no colon", "GET /health HTTP/1.1\r\nHost\r\n\r\n"),
        ("a folded header", "GET /health HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"),
        ("an empty method", " /health HTTP/1.1\r\nHost: x\r\n\r\n"),
        (
            "a length that is no number",
            "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        ),
        (
            "a negative length",
            "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        ),
        (
            "a length beyond all bounds",
            "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        ),
        (
            "a chunk size that is no number",
            "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ),
        (
            "an unknown transfer coding",
            "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: rot13\r\n\r\nabc",
        ),
    ] {
        assert_refused(&node, what, head).await;
    }
    node.check_it_works().await;
}

async fn huge_heads_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    assert_refused(&node, "a long path", long_path).await;
    let long_header = format!(
        "GET /health HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n",
        "a".repeat(100_000)
    );
    assert_refused(&node, "a long header", long_header).await;
    let many = (0..1000).map(|index| format!("X-{index}: a\r\n")).collect::<String>();
    assert_refused(
        &node,
        "many headers",
        format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
    )
    .await;
    node.check_it_works().await;
}

/// What one reader takes for the body of a request, another may take for the next request (RFC 9112 §11.2).
async fn two_lengths_are_refused(backend: Backend) {
    let node = Node::start(backend).await;
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let two = format!("{head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde");
    assert_refused(&node, "two different lengths", two).await;
    let list = format!("{head}Content-Length: 4, 5\r\n\r\nabcde");
    assert_refused(&node, "a list of lengths", list).await;
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let both = format!(
        "{head}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n{smuggled}",
        smuggled.len()
    );
    let answer = wire::exchange(node.place.address(), both).await;
    assert!(
        !answer.contains("\"NOT_FOUND\""),
        "the bytes after the chunks were taken for a request: {answer}"
    );
    node.check_it_works().await;
}
