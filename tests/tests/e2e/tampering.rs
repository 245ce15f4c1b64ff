//! What happens to somebody who changes the audit log behind the node's back: it tells, and names the event.

use e2e::node::token_form;
use e2e::{Answer, Api, Backend, Client, Node, Organization, Session, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    the_store_refuses_to_change_or_remove_an_event,
    a_changed_field_is_found_and_named,
    a_removed_event_is_found,
    a_removed_tail_is_found,
    a_last_event_that_is_not_the_recorded_head_is_found,
    an_event_put_in_between_is_found,
    tampering_while_the_node_runs_is_found_too,
    an_action_that_is_no_name_made_lists_and_verification_fail,
    an_event_behind_the_recorded_end_stopped_the_organization_as_if_it_were_a_bug,
);

const TABLE: &str = "audit_events";

/// A node with some events, and those events, oldest first.
async fn history(backend: Backend) -> (Node, Session, Vec<Value>) {
    let node = Node::start(backend).await;
    let admin = node.admin().await;
    for _ in 0..3 {
        let _ = admin.new_client().await;
    }
    let mut events = admin.audit("").await;
    events.reverse();
    (node, admin, events)
}

fn id(event: &Value) -> &str {
    event["eventId"].as_str().expect("an event has an id")
}

async fn assert_broken_at(admin: &Session, event: &Value) {
    let verdict = admin.verify().await;
    assert_eq!(
        (&verdict["verified"], &verdict["brokenAtEventId"]),
        (&json!(false), &json!(id(event))),
        "{verdict}"
    );
}

async fn the_store_refuses_to_change_or_remove_an_event(backend: Backend) {
    let (node, admin, events) = history(backend).await;
    // A role that sees no rows would change none and so get no error: the policy's setting is given first.
    let organization = node.announcement.text("organizationId");
    let setting = match backend {
        Backend::Postgres => format!("SET app.organization_id = '{organization}';"),
        Backend::Embedded => String::new(),
    };
    for statement in [
        format!("UPDATE {TABLE} SET outcome = 'failure'"),
        format!("DELETE FROM {TABLE}"),
    ] {
        let refusal = node
            .place
            .store
            .execute_as_node(&format!("{setting} {statement}"))
            .await;
        assert!(refusal.is_err(), "{statement} was done");
    }
    let after = admin.audit("").await;
    assert!(events.iter().all(|event| after.contains(event)), "{after:?}");
    assert_eq!(admin.verify().await["verified"], true);
}

async fn a_changed_field_is_found_and_named(backend: Backend) {
    let (node, admin, events) = history(backend).await;
    let victim = &events[events.len() / 2];
    let sequence = &victim["sequence"];
    for (change, back) in [
        ("ip_address = '10.0.0.1'", "ip_address = '127.0.0.1'"),
        ("user_agent = 'somebody else'", "user_agent = NULL"),
    ] {
        let update = |assignment: &str| format!("UPDATE {TABLE} SET {assignment} WHERE sequence = {sequence}");
        node.place.store.execute_unchecked(&update(change)).await;
        assert_broken_at(&admin, victim).await;
        node.place.store.execute_unchecked(&update(back)).await;
    }
    assert_eq!(
        victim["userAgent"],
        json!(null),
        "the tests send no user agent, so the row is as it was"
    );
    assert_eq!(
        admin.verify().await["verified"],
        true,
        "what is put back verifies again"
    );
}

async fn a_removed_event_is_found(backend: Backend) {
    let (node, admin, events) = history(backend).await;
    let (victim, next) = (&events[2], &events[3]);
    node.place
        .store
        .execute_unchecked(&format!("DELETE FROM {TABLE} WHERE sequence = {}", victim["sequence"]))
        .await;
    assert_broken_at(&admin, next).await;
}

async fn a_removed_tail_is_found(backend: Backend) {
    let (node, admin, events) = history(backend).await;
    let last_kept = &events[2];
    node.place
        .store
        .execute_unchecked(&format!(
            "DELETE FROM {TABLE} WHERE sequence > {}",
            last_kept["sequence"]
        ))
        .await;
    assert_broken_at(&admin, last_kept).await;
}

async fn a_last_event_that_is_not_the_recorded_head_is_found(backend: Backend) {
    let (node, admin, events) = history(backend).await;
    let zeros = match backend {
        Backend::Postgres => "decode(repeat('00', 32), 'hex')",
        Backend::Embedded => "zeroblob(32)",
    };
    let update = format!("UPDATE audit_heads SET hash = {zeros}");
    node.place.store.execute_unchecked(&update).await;
    assert_broken_at(&admin, events.last().expect("there are events")).await;
}

async fn an_event_put_in_between_is_found(backend: Backend) {
    let (node, admin, events) = history(backend).await;
    let (kept, victim) = (&events[2], &events[3]);
    // The later event is moved away and a copy of the earlier one takes its place.
    let columns = columns(&node).await;
    let others: Vec<&str> = columns
        .iter()
        .map(String::as_str)
        .filter(|name| !["sequence", "event_id"].contains(name))
        .collect();
    let id_of = |event: &Value| format!("(SELECT event_id FROM {TABLE} WHERE sequence = {})", event["sequence"]);
    let assignments: Vec<String> = others
        .iter()
        .map(|name| format!("{name} = (SELECT {name} FROM {TABLE} WHERE event_id = {})", id_of(kept)))
        .collect();
    let statement = format!(
        "UPDATE {TABLE} SET {} WHERE sequence = {}",
        assignments.join(", "),
        victim["sequence"]
    );
    node.place.store.execute_unchecked(&statement).await;
    assert_broken_at(&admin, victim).await;
}

async fn columns(node: &Node) -> Vec<String> {
    let query = match node.place.store {
        e2e::store::Store::Embedded(_) => format!("SELECT name FROM pragma_table_info('{TABLE}')"),
        e2e::store::Store::Postgres(_) => {
            format!("SELECT column_name FROM information_schema.columns WHERE table_name = '{TABLE}'")
        }
    };
    let columns = node.place.store.query(&query).await;
    assert!(columns.len() > 8, "{columns:?}");
    columns
}

async fn tampering_while_the_node_runs_is_found_too(backend: Backend) {
    let (mut node, admin, events) = history(backend).await;
    assert_eq!(admin.verify().await["verified"], true);
    let victim = &events[0];
    let statement = format!(
        "UPDATE {TABLE} SET action = 'agent.updated' WHERE sequence = {}",
        victim["sequence"]
    );
    node.place.store.execute_unchecked(&statement).await;
    assert_broken_at(&admin, victim).await;
    // New events are appended, and the break is still named after a restart.
    let _ = admin.new_agent().await;
    assert_broken_at(&admin, victim).await;
    node.stop().await;
    node.start_again().await;
    assert_broken_at(&admin, victim).await;
}

async fn an_action_that_is_no_name_made_lists_and_verification_fail(backend: Backend) {
    let (node, admin, events) = history(backend).await;
    let victim = &events[events.len() / 2];
    let statement = format!(
        "UPDATE {TABLE} SET action = 'agent.forgiven' WHERE sequence = {}",
        victim["sequence"]
    );
    node.place.store.execute_unchecked(&statement).await;
    assert_broken_at(&admin, victim).await;
    let listed = admin.audit("").await;
    assert_eq!(listed.len(), events.len());
    let shown = listed.iter().find(|event| id(event) == id(victim));
    assert_eq!(shown.map(|event| &event["action"]), Some(&json!("agent.forgiven")));
    let one = admin.get(&format!("/api/v1/audit/{}", id(victim))).send().await;
    assert_eq!(one.expect(200).json()["action"], "agent.forgiven");
}

async fn ask(api: Api, client: Client) -> Answer {
    let form = token_form("agents:read");
    api.post("/oauth2/token").basic(&client).form(&form).send().await
}

async fn an_event_behind_the_recorded_end_stopped_the_organization_as_if_it_were_a_bug(backend: Backend) {
    let mut node = Node::start(backend).await;
    let neighbour = node.admin().await.new_client().await;
    let other = Organization {
        id: "0190aaaa-0000-7000-8000-0000000000ff",
        slug: "neighbour",
        signing_algorithm: "EdDSA",
        agents: &[&neighbour],
    };
    node.make_organizations(&[other]).await;
    let admin = node.admin().await;
    let _ = admin.new_agent().await;
    let foreign = admin.audit("").await.remove(0);
    // The head is taken back by one, so the last event, which follows from the one before, is none that was recorded.
    let system = node.place.store.id(node.announcement.text("organizationId"));
    let move_head = |sequence: u64| {
        format!(
            "UPDATE audit_heads SET sequence = {sequence}, hash = (SELECT hash FROM {TABLE}
                 WHERE organization_id = {system} AND sequence = {sequence}) WHERE organization_id = {system}"
        )
    };
    let last = foreign["sequence"].as_u64().expect("a number");
    node.place.store.execute_unchecked(&move_head(last - 1)).await;
    assert_broken_at(&admin, &foreign).await;

    // Those of both organizations come at once, so that they share batches.
    let spawn = |client: &Client| tokio::spawn(ask(node.api(), client.clone()));
    let asked: Vec<_> = (0..16)
        .flat_map(|_| [(true, spawn(&node.admin)), (false, spawn(&neighbour))])
        .collect();
    for (is_ours, answer) in asked {
        let answer = answer.await.expect("no panic");
        if !is_ours {
            let _ = answer.expect(200);
            continue;
        }
        let body = answer.expect(500).json();
        assert_eq!(body["error"], "server_error", "{body}");
        let description = body["error_description"].as_str().expect("a sentence");
        assert!(description.contains("/api/v1/audit/verify"), "{description}");
    }
    let refused = admin.post("/api/v1/agents", &e2e::session::agent_body()).send().await;
    assert_eq!(refused.expect(500).json()["code"], "AUDIT_CHAIN_CORRUPT");
    assert!(
        node.place.log().contains(node.announcement.text("organizationId")),
        "the log names the chain"
    );
    assert_broken_at(&admin, &foreign).await;

    node.place.store.execute_unchecked(&move_head(last)).await;
    let _ = ask(node.api(), node.admin.clone()).await.expect(200);
    assert_eq!(admin.verify().await["verified"], true);
}
