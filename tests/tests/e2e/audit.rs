//! The audit log: every deed is in it, with who, when and from where, and the chain holds.

use e2e::{Backend, Node, eventually, jwt, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    a_suspension_tells_who_did_it_when_and_from_where,
    every_action_leaves_its_record,
    an_event_has_the_promised_shape_and_can_be_fetched,
    the_chain_verifies_and_counts_every_event,
    filters_narrow_the_list,
    a_cursor_is_stable_while_events_are_added,
    bad_parameters_are_all_named,
    a_failed_authentication_of_a_known_client_is_recorded,
);

fn actions(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .rev()
        .map(|event| event["action"].as_str().expect("an action"))
        .collect()
}

async fn a_suspension_tells_who_did_it_when_and_from_where(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let suspend = admin.patch(&format!("/api/v1/agents/{agent}"), &json!({ "status": "suspended" }));
    let suspended = suspend
        .header("user-agent", "incident-response/1.0")
        .send()
        .await
        .expect(200)
        .json();
    let events = admin.audit("action=agent.suspended").await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event["outcome"], "success");
    assert_eq!(event["agentId"], node.admin.id, "who did it");
    assert!(event["metadata"].to_string().contains(&agent), "to whom: {event}");
    assert_eq!(
        (&event["ipAddress"], &event["userAgent"]),
        (&json!("127.0.0.1"), &json!("incident-response/1.0"))
    );
    assert_eq!(event["timestamp"], suspended["updatedAt"]);
    assert_eq!(event["organizationId"], node.announcement.0["organizationId"]);
}

async fn every_action_leaves_its_record(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let before = admin.audit("").await.len();
    let client = admin.new_client().await;
    let path = format!("/api/v1/agents/{}", client.id);
    let _ = admin
        .patch(&path, &json!({ "owner": "somebody else" }))
        .send()
        .await
        .expect(200);
    let rotate = format!("{path}/credentials/{}/rotate", client.credential);
    let rotated = admin.post(&rotate, &json!({})).send().await.expect(200).json();
    let client = client.with_secret(rotated["clientSecret"].as_str().expect("a secret"));
    let token = node.token(&client, "").await;
    let form = [("token", token.as_str())];
    let _ = node
        .api()
        .post("/oauth2/introspect")
        .bearer(&admin.token)
        .form(&form)
        .send()
        .await
        .expect(200);
    e2e::eventually("the record of a look, which nobody waits for", async || {
        admin.audit("action=token.introspected").await.first().map(drop)
    })
    .await;
    let _ = node
        .api()
        .post("/oauth2/revoke")
        .bearer(&admin.token)
        .form(&form)
        .send()
        .await
        .expect(200);
    admin.set_status(&client.id, "suspended").await;
    admin.set_status(&client.id, "active").await;
    let _ = admin
        .delete(&format!("{path}/credentials/{}", client.credential))
        .send()
        .await
        .expect(204);
    let _ = admin.delete(&path).send().await.expect(204);
    let mut events = admin.audit("").await;
    events.truncate(events.len() - before);
    let expected = [
        "agent.created",
        "credential.generated",
        "agent.updated",
        "credential.rotated",
        "token.issued",
        "token.introspected",
        "token.revoked",
        "agent.suspended",
        "agent.reactivated",
        "credential.revoked",
        "agent.decommissioned",
    ];
    assert_eq!(actions(&events), expected);
    let jti = jwt::parts(&token).1["jti"].clone();
    for action in ["token.issued", "token.introspected", "token.revoked"] {
        let event = events
            .iter()
            .find(|event| event["action"] == action)
            .expect("it is there");
        assert_eq!(event["metadata"]["jti"], jti, "{action}");
    }
}

async fn an_event_has_the_promised_shape_and_can_be_fetched(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let _ = admin.new_agent().await;
    let events = admin.audit("action=agent.created").await;
    let event = &events[0];
    let mut members: Vec<&str> = event
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    let mut promised = [
        "eventId",
        "sequence",
        "organizationId",
        "agentId",
        "action",
        "outcome",
        "ipAddress",
        "userAgent",
        "metadata",
        "timestamp",
        "previousHash",
        "hash",
    ];
    promised.sort_unstable();
    assert_eq!(members, promised);
    assert!(event["metadata"].is_object());
    let fetched = admin
        .get(&format!("/api/v1/audit/{}", event["eventId"].as_str().expect("an id")))
        .send()
        .await
        .expect(200);
    assert_eq!(fetched.json(), *event);
    for id in ["01900000-0000-7000-8000-000000000000", "nonsense"] {
        assert_eq!(admin.get(&format!("/api/v1/audit/{id}")).send().await.status, 404);
    }
}

async fn the_chain_verifies_and_counts_every_event(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    for _ in 0..5 {
        let _ = admin.new_client().await;
    }
    let events = admin.audit("").await;
    let verdict = admin.verify().await;
    assert_eq!(
        (&verdict["verified"], &verdict["brokenAtEventId"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(verdict["checkedCount"], events.len());
    // Newest first, without a gap, each naming the hash of the one before it.
    for (newer, older) in events.iter().zip(events.iter().skip(1)) {
        assert_eq!(
            newer["sequence"].as_u64().expect("a number") - 1,
            older["sequence"].as_u64().expect("a number")
        );
        assert_eq!(newer["previousHash"], older["hash"]);
    }
    let first = events.last().expect("events");
    assert_eq!(
        (&first["sequence"], &first["previousHash"]),
        (&json!(1), &json!("0".repeat(64)))
    );
    let from = events[1]["timestamp"].as_str().expect("a timestamp");
    let narrowed = admin
        .get(&format!("/api/v1/audit/verify?fromDate={from}"))
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&narrowed["verified"], &narrowed["fromDate"]),
        (&json!(true), &json!(from))
    );
    assert!(narrowed["checkedCount"].as_u64().expect("a number") < events.len() as u64);
}

async fn filters_narrow_the_list(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let _ = node.token(&client, "").await;
    let all = admin.audit("").await;
    let of_agent = admin.audit(&format!("agentId={}", client.id)).await;
    assert_eq!(actions(&of_agent), ["token.issued"]);
    assert!(admin.audit("outcome=failure").await.is_empty());
    assert_eq!(admin.audit("outcome=success").await, all);
    let time = of_agent[0]["timestamp"].as_str().expect("a timestamp");
    let at = admin.audit(&format!("fromDate={time}&toDate={time}")).await;
    assert!(at.contains(&of_agent[0]));
    assert!(admin.audit("fromDate=2099-01-01T00:00:00Z").await.is_empty());
    assert!(admin.audit("toDate=2001-01-01T00:00:00Z").await.is_empty());
    let created = admin.audit(&format!("action=agent.created&toDate={time}")).await;
    assert!(created.iter().all(|event| event["action"] == "agent.created") && !created.is_empty());
}

async fn a_cursor_is_stable_while_events_are_added(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    for _ in 0..4 {
        let _ = admin.new_agent().await;
    }
    let expected = admin.audit("").await;
    let mut seen: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = admin
            .get(&format!("/api/v1/audit?limit=2{cursor}"))
            .send()
            .await
            .expect(200)
            .json();
        seen.extend(page["data"].as_array().expect("data").iter().cloned());
        let _ = admin.new_agent().await;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected, "each once, and none of the new ones");
    let pages = admin
        .get("/api/v1/audit?limit=3&page=2")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!((&pages["page"], &pages["limit"]), (&json!(2), &json!(3)));
}

async fn bad_parameters_are_all_named(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let query =
        "agentId=x&action=agent.flew&outcome=maybe&fromDate=yesterday&toDate=2026-01-01&limit=101&cursor=!&colour=red";
    let answer = admin.get(&format!("/api/v1/audit?{query}")).send().await;
    answer.expect_error(400, "VALIDATION_ERROR");
    assert_eq!(
        answer.bad_fields(),
        [
            "action", "agentId", "colour", "cursor", "fromDate", "limit", "outcome", "toDate"
        ]
    );
    let verify = admin
        .get("/api/v1/audit/verify?fromDate=x&toDate=y&page=1")
        .send()
        .await;
    assert_eq!(verify.bad_fields(), ["fromDate", "page", "toDate"]);
}

async fn a_failed_authentication_of_a_known_client_is_recorded(backend: Backend) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let wrong = client.with_secret(&format!("sk_live_{}", "f".repeat(64)));
    let form = [("grant_type", "client_credentials")];
    let answer = node
        .api()
        .post("/oauth2/token")
        .basic(&wrong)
        .header("user-agent", "guesser")
        .form(&form)
        .send()
        .await;
    answer.expect_oauth_error(401, "invalid_client");
    // The record is not waited for: the time that an answer takes would tell which clients exist.
    let events = eventually("the failure in the log", async || {
        Some(admin.audit("action=auth.failed").await).filter(|events| !events.is_empty())
    })
    .await;
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!(
        (&event["outcome"], &event["agentId"]),
        (&json!("failure"), &json!(client.id))
    );
    assert_eq!(
        (&event["ipAddress"], &event["userAgent"]),
        (&json!("127.0.0.1"), &json!("guesser"))
    );
    assert!(!event.to_string().contains(&wrong.secret));
}
