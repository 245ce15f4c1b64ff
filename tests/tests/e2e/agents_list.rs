//! Agents, many at a time: filters and pages.

use e2e::session::agent_body;
use e2e::{Backend, Node, Session, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    filters_narrow_the_list_and_combine,
    text_search_takes_wildcards_literally,
    pages_hold_every_agent_once,
    bad_parameters_are_all_named,
);

async fn register(admin: &Session, changes: &Value) -> String {
    let mut body = agent_body();
    for (name, value) in changes.as_object().expect("an object") {
        body[name] = value.clone();
    }
    admin.post("/api/v1/agents", &body).send().await.expect(201).json()["agentId"]
        .as_str()
        .expect("an id")
        .to_owned()
}

async fn ids(admin: &Session, query: &str) -> Vec<String> {
    let list = admin
        .get(&format!("/api/v1/agents?limit=100&{query}"))
        .send()
        .await
        .expect(200)
        .json();
    let data = list["data"].as_array().expect("data");
    assert_eq!(list["total"], data.len(), "{query}");
    data.iter()
        .map(|agent| agent["agentId"].as_str().expect("an id").to_owned())
        .collect()
}

async fn filters_narrow_the_list_and_combine(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let one = register(&admin, &json!({ "owner": "Blue Team", "agentType": "router", "deploymentEnv": "production", "email": "needle@agents.example" })).await;
    let two = register(
        &admin,
        &json!({ "owner": "Blue Team", "agentType": "screener", "capabilities": ["haystack:search"] }),
    )
    .await;
    let three = register(&admin, &json!({ "owner": "Red Team", "agentType": "router" })).await;
    admin.set_status(&three, "suspended").await;
    let all = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<Vec<_>>();
    for (query, expected) in [
        ("owner=Blue%20Team", all(&[&one, &two])),
        ("owner=Blue+Team", all(&[&one, &two])),
        ("agentType=router", all(&[&one, &three])),
        ("status=suspended", all(&[&three])),
        ("deploymentEnv=production&owner=Blue%20Team", all(&[&one])),
        ("agentType=router&owner=Blue%20Team", all(&[&one])),
        ("agentType=router&owner=Blue%20Team&status=suspended", all(&[])),
        ("q=NEEDLE", all(&[&one])),
        ("q=haystack:", all(&[&two])),
        ("q=red%20t", all(&[&three])),
        ("q=red%20t&status=active", all(&[])),
        ("q=nowhere-to-be-found", all(&[])),
    ] {
        assert_eq!(ids(&admin, query).await, expected, "{query}");
    }
}

async fn text_search_takes_wildcards_literally(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let percent = register(&admin, &json!({ "owner": "100% sure" })).await;
    let underscore = register(&admin, &json!({ "owner": "snake_case" })).await;
    let quote = register(&admin, &json!({ "owner": "O'Neil \\ \"co\"" })).await;
    assert_eq!(ids(&admin, "q=%25").await, [percent]);
    assert_eq!(ids(&admin, "q=_c").await, [underscore]);
    assert_eq!(ids(&admin, "q=O%27Neil%20%5C").await, [quote.as_str()]);
    assert_eq!(ids(&admin, "owner=O%27Neil%20%5C%20%22co%22").await, [quote]);
    assert_eq!(ids(&admin, "owner=%27%20OR%201%3D1%20--").await, Vec::<String>::new());
}

async fn pages_hold_every_agent_once(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let mut expected = vec![node.admin.id.clone()];
    for _ in 0..6 {
        expected.push(register(&admin, &json!({})).await);
    }
    // Identifiers begin with the time; those of one millisecond follow each other as they are.
    expected.sort();
    let mut seen = Vec::new();
    for page in 1..=4 {
        let list = admin
            .get(&format!("/api/v1/agents?page={page}&limit=3"))
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&list["total"], &list["page"], &list["limit"]),
            (&json!(7), &json!(page), &json!(3))
        );
        let data = list["data"].as_array().expect("data");
        assert_eq!(data.len(), [3, 3, 1, 0][page - 1]);
        seen.extend(
            data.iter()
                .map(|agent| agent["agentId"].as_str().expect("an id").to_owned()),
        );
    }
    assert_eq!(seen, expected, "oldest first, each once");
    let default = admin.get("/api/v1/agents").send().await.expect(200).json();
    assert_eq!((&default["page"], &default["limit"]), (&json!(1), &json!(20)));
}

async fn bad_parameters_are_all_named(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let query = "page=0&limit=101&status=asleep&agentType=wizard&deploymentEnv=moon&color=red";
    let answer = admin.get(&format!("/api/v1/agents?{query}")).send().await;
    answer.expect_error(400, "VALIDATION_ERROR");
    assert_eq!(
        answer.bad_fields(),
        ["agentType", "color", "deploymentEnv", "limit", "page", "status"]
    );
    for query in [
        "page=-1",
        "page=1e3",
        "limit=0",
        "page=99999999999999999999",
        "owner=%zz",
        "owner=%ff",
        "owner=a&owner=b",
        "q=%00",
    ] {
        let answer = admin.get(&format!("/api/v1/agents?{query}")).send().await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
}
