//! `GET /agent-info`: OpenID Connect's UserInfo, for agents.

use e2e::{Backend, Node, on_both_stores};

on_both_stores!(it_tells_the_bearer_who_it_is);

async fn it_tells_the_bearer_who_it_is(backend: Backend) {
    let node = Node::start(backend).await;
    let client = node.admin().await.new_client().await;
    let session = node.session(&client, "openid agents:read").await;
    let agent = session
        .get(&format!("/api/v1/agents/{}", client.id))
        .send()
        .await
        .expect(200)
        .json();
    let answer = session.get("/agent-info").send().await.expect(200);
    let info = answer.json();
    // The subject is the one of the ID token, to the letter (OpenID Connect Core §5.3.2).
    assert_eq!(info["sub"], client.id);
    assert_eq!(info["organization_id"], agent["organizationId"]);
    assert_eq!(info["email"], agent["email"]);
    assert!(answer.header("cache-control").contains("no-store"));
}
