//! What an organization's tokens are signed with: EdDSA, ES256 or RS256, all verified by one published key set.

use std::collections::BTreeSet;

use e2e::node::token_form;
use e2e::{Backend, Client, Node, NodeOptions, Organization, jwt, on_both_stores};
use serde_json::Value;

on_both_stores!(
    each_organization_signs_with_its_own_algorithm,
    the_system_organization_signs_with_the_configured_algorithm,
    tokens_outlive_a_change_of_their_organizations_algorithm,
);

const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];

async fn key_set(node: &Node) -> Value {
    node.api().get("/.well-known/jwks.json").send().await.expect(200).json()
}

/// Takes an access token and an ID token, and checks both with the published keys: what a resource server does.
async fn checked_token(node: &Node, client: &Client, algorithm: &str) -> String {
    let form = token_form("agents:read openid");
    let request = node.api().post("/oauth2/token").basic(client).form(&form);
    let answer = request.send().await.expect(200).json();
    let set = key_set(node).await;
    for (member, typ, audience) in [
        ("access_token", "at+jwt", node.issuer()),
        ("id_token", "JWT", client.id.as_str()),
    ] {
        let token = answer[member]
            .as_str()
            .unwrap_or_else(|| panic!("{member} in {answer}"));
        let header = jwt::parts(token).0;
        assert_eq!(
            (header["alg"].as_str(), header["typ"].as_str()),
            (Some(algorithm), Some(typ))
        );
        let keys = set["keys"].as_array().expect("keys");
        let named: Vec<&Value> = keys.iter().filter(|key| key["kid"] == header["kid"]).collect();
        assert!(
            named.len() == 1 && named[0]["alg"] == algorithm,
            "{header} is one of {set}"
        );
        let claims = jwt::verified(token, &set, node.issuer(), audience);
        assert_eq!(claims["sub"], client.id.as_str());
    }
    answer["access_token"].as_str().expect("checked above").to_owned()
}

/// Checks that the node takes a token everywhere, and no other for it, until it is revoked.
async fn check_life(node: &Node, client: &Client, token: &str) {
    assert!(node.is_active(token).await && node.accepts_bearer(token).await);
    let broken = jwt::with_broken_signature(token);
    let changed = jwt::with_claims(token, |claims| claims["scope"] = "admin:orgs".into());
    for forged in [&broken, &changed] {
        assert!(!node.is_active(forged).await && !node.accepts_bearer(forged).await);
    }
    let revoke = node.api().post("/oauth2/revoke").basic(client);
    let _ = revoke.form(&[("token", token)]).send().await.expect(200);
    assert!(!node.is_active(token).await && !node.accepts_bearer(token).await);
}

fn algorithms(set: &Value) -> BTreeSet<&str> {
    let keys = set["keys"].as_array().expect("keys").iter();
    keys.map(|key| key["alg"].as_str().expect("an alg")).collect()
}

async fn each_organization_signs_with_its_own_algorithm(backend: Backend) {
    let mut node = Node::start(backend).await;
    let admin = node.admin().await;
    let mut clients = Vec::new();
    for _ in ALGORITHMS {
        clients.push(admin.new_client().await);
    }
    let ids = [1, 2, 3].map(|number| format!("01900000-0000-7000-8000-0000000000{number:02}"));
    let slugs = ALGORITHMS.map(str::to_lowercase);
    let members: Vec<[&Client; 1]> = clients.iter().map(|client| [client]).collect();
    let organizations = [0, 1, 2].map(|index| Organization {
        id: &ids[index],
        slug: &slugs[index],
        signing_algorithm: ALGORITHMS[index],
        agents: &members[index],
    });
    node.make_organizations(&organizations).await;
    assert_eq!(algorithms(&key_set(&node).await), BTreeSet::from(ALGORITHMS));
    for (client, algorithm) in clients.iter().zip(ALGORITHMS) {
        let token = checked_token(&node, client, algorithm).await;
        check_life(&node, client, &token).await;
    }
    let _ = checked_token(&node, &node.admin, "EdDSA").await;
    let metrics = node.operator().get("/metrics").send().await.expect(200).text();
    for algorithm in ALGORITHMS {
        let counted = |line: &str| {
            line.starts_with("agentidp_tokens_issued_total{") && line.contains(&format!("alg=\"{algorithm}\""))
        };
        assert!(metrics.lines().any(counted), "{algorithm}");
    }
}

async fn the_system_organization_signs_with_the_configured_algorithm(backend: Backend) {
    for algorithm in ALGORITHMS {
        let node = NodeOptions::on(backend).set("keys.algorithm", algorithm).start().await;
        let token = checked_token(&node, &node.admin, algorithm).await;
        check_life(&node, &node.admin, &token).await;
    }
}

async fn tokens_outlive_a_change_of_their_organizations_algorithm(backend: Backend) {
    let mut node = Node::start(backend).await;
    let mut tokens = Vec::new();
    for algorithm in ALGORITHMS {
        assert!(node.stop().await.success());
        let change = format!("UPDATE organizations SET signing_algorithm = '{algorithm}'");
        node.place.store.execute_unchecked(&change).await;
        node.start_again().await;
        tokens.push(checked_token(&node, &node.admin, algorithm).await);
    }
    for token in &tokens {
        assert!(node.is_active(token).await && node.accepts_bearer(token).await);
    }
}
