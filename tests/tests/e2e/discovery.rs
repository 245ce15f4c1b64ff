//! Metadata (RFC 8414, OpenID Connect Discovery) and the key set (RFC 7517): they say what works, and only that.

use e2e::node::token_form;
use e2e::{Backend, Node, NodeOptions, jwt, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    both_documents_tell_the_issuer_and_endpoints_that_answer,
    what_is_advertised_works_and_nothing_else,
    every_method_that_is_advertised_for_introspection_and_revocation_works,
    the_key_set_holds_public_keys_of_every_algorithm,
    keys_and_tokens_survive_a_restart,
    a_configured_public_url_is_the_issuer,
);

const DOCUMENTS: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

async fn document(node: &Node, path: &str) -> Value {
    node.api().get(path).send().await.expect(200).json()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("a list: {value}"))
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

async fn both_documents_tell_the_issuer_and_endpoints_that_answer(backend: Backend) {
    let node = Node::start(backend).await;
    for path in DOCUMENTS {
        let document = document(&node, path).await;
        assert_eq!(
            document["issuer"],
            node.issuer(),
            "RFC 8414 §3.3: the same text, to the letter"
        );
        for (name, method, path) in [
            ("token_endpoint", "POST", "/oauth2/token"),
            ("introspection_endpoint", "POST", "/oauth2/introspect"),
            ("revocation_endpoint", "POST", "/oauth2/revoke"),
            ("jwks_uri", "GET", "/.well-known/jwks.json"),
        ] {
            let url = document[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} in {document}"));
            assert_eq!(url, format!("{}{path}", node.issuer()));
            let answer = node.api().request(method, path).send().await;
            assert!(!matches!(answer.status, 404 | 405), "{url} answers {}", answer.status);
        }
    }
    let openid = document(&node, DOCUMENTS[1]).await;
    assert_eq!(openid["userinfo_endpoint"], format!("{}/agent-info", node.issuer()));
    // Required of every provider by OpenID Connect Discovery §3.
    assert!(texts(&openid["subject_types_supported"]).contains(&"public"));
    assert!(!texts(&openid["id_token_signing_alg_values_supported"]).is_empty());
    assert!(!texts(&openid["response_types_supported"]).is_empty());
}

async fn what_is_advertised_works_and_nothing_else(backend: Backend) {
    let node = Node::start(backend).await;
    let document = document(&node, DOCUMENTS[0]).await;
    assert_eq!(texts(&document["grant_types_supported"]), ["client_credentials"]);
    let mut methods = texts(&document["token_endpoint_auth_methods_supported"]);
    methods.sort_unstable();
    assert_eq!(methods, ["client_secret_basic", "client_secret_post"]);
    for scope in texts(&document["scopes_supported"]) {
        let answer = node
            .api()
            .post("/oauth2/token")
            .basic(&node.admin)
            .form(&token_form(scope))
            .send()
            .await;
        assert_eq!(answer.expect(200).json()["scope"], scope);
    }
    assert_eq!(
        document.get("authorization_endpoint"),
        None,
        "there is no such endpoint"
    );
    assert_eq!(document.get("registration_endpoint"), None, "there is no such endpoint");
}

async fn every_method_that_is_advertised_for_introspection_and_revocation_works(backend: Backend) {
    let node = Node::start(backend).await;
    let document = document(&node, DOCUMENTS[0]).await;
    let token = node.token(&node.admin, "tokens:read").await;
    for (member, path, expected) in [
        (
            "introspection_endpoint_auth_methods_supported",
            "/oauth2/introspect",
            vec!["client_secret_basic", "client_secret_post", "Bearer"],
        ),
        (
            "revocation_endpoint_auth_methods_supported",
            "/oauth2/revoke",
            vec!["client_secret_basic", "client_secret_post"],
        ),
    ] {
        let methods = texts(&document[member]);
        assert_eq!(methods, expected);
        for method in methods {
            let mut form = vec![("token", "unknown")];
            let request = node.api().post(path);
            let request = match method {
                "client_secret_basic" => request.basic(&node.admin),
                "Bearer" => request.bearer(&token),
                _ => {
                    form.extend([("client_id", &*node.admin.id), ("client_secret", &*node.admin.secret)]);
                    request
                }
            };
            let _ = request.form(&form).send().await.expect(200);
        }
    }
}

async fn the_key_set_holds_public_keys_of_every_algorithm(backend: Backend) {
    let node = Node::start(backend).await;
    let set = document(&node, "/.well-known/jwks.json").await;
    assert_eq!(set, document(&node, "/oauth2/jwks").await);
    let keys = set["keys"].as_array().expect("keys");
    let mut algorithms: Vec<&str> = keys.iter().filter_map(|key| key["alg"].as_str()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    assert_eq!(algorithms, ["ES256", "EdDSA", "RS256"]);
    for key in keys {
        assert_eq!(key["use"], "sig");
        assert!(key["kid"].as_str().is_some_and(|kid| !kid.is_empty()));
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key.get(private), None, "{private} is nobody's business");
        }
    }
    let answer = node.api().get("/.well-known/jwks.json").send().await;
    assert!(
        answer.header("cache-control").contains("max-age"),
        "{:?}",
        answer.headers
    );
}

async fn keys_and_tokens_survive_a_restart(backend: Backend) {
    let mut node = Node::start(backend).await;
    let token = node.token(&node.admin, "").await;
    let before = document(&node, "/.well-known/jwks.json").await;
    node.stop().await;
    node.start_again().await;
    let after = document(&node, "/.well-known/jwks.json").await;
    assert_eq!(before, after);
    let _ = jwt::verified(&token, &after, node.issuer(), node.issuer());
    assert!(node.is_active(&token).await && node.accepts_bearer(&token).await);
}

async fn a_configured_public_url_is_the_issuer(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("server.public_url", "https://idp.example/")
        .start()
        .await;
    assert_eq!(node.issuer(), "https://idp.example");
    let document = document(&node, DOCUMENTS[0]).await;
    assert_eq!(document["issuer"], "https://idp.example");
    assert_eq!(document["token_endpoint"], "https://idp.example/oauth2/token");
    let token = node.token(&node.admin, "").await;
    assert_eq!(jwt::parts(&token).1["iss"], json!("https://idp.example"));
    assert!(node.accepts_bearer(&token).await);
}
