//! `secret_shown_once`: a secret is in one answer and nowhere else.

use std::os::unix::fs::PermissionsExt;

use e2e::{Backend, Client, NodeOptions, on_both_stores};
use serde_json::json;

on_both_stores!(
    secrets_and_tokens_are_nowhere_but_in_their_answer,
    what_the_node_keeps_is_for_its_owner_only
);

async fn secrets_and_tokens_are_nowhere_but_in_their_answer(backend: Backend) {
    let mut node = NodeOptions::on(backend)
        .set("telemetry.log_level", "debug")
        .start()
        .await;
    let admin = node.admin().await;
    let client = admin.new_client().await;
    let rotate = format!("/api/v1/agents/{}/credentials/{}/rotate", client.id, client.credential);
    let rotated = Client::of_credential(
        &admin
            .post(&rotate, &json!({ "overlapSeconds": 60 }))
            .send()
            .await
            .expect(200)
            .json(),
    );
    let token = node.token(&rotated, "").await;
    // Wrong, in the wrong place, or in a broken request: still nobody else's business.
    let form = [
        ("grant_type", "password"),
        ("client_id", &client.id),
        ("client_secret", &rotated.secret),
    ];
    let _ = node.api().post("/oauth2/token").form(&form).send().await.expect(400);
    let _ = node
        .api()
        .post(&format!("/nowhere/{}", client.id))
        .bearer(&token)
        .send()
        .await
        .expect(404);
    let _ = node
        .api()
        .get("/api/v1/agents")
        .bearer(&format!("{token}x"))
        .send()
        .await
        .expect(401);
    node.stop().await;
    let (log, disk) = (node.place.log(), node.place.store.bytes_on_disk());
    let announced = serde_json::to_string(&node.announcement.0).expect("JSON");
    let said = log.replacen(announced.trim(), "", 1);
    let signature = token.rsplit('.').next().expect("a signature");
    for (what, secret) in [
        ("secret", client.secret.as_str()),
        ("rotated secret", &rotated.secret),
        ("token", signature),
    ] {
        assert!(!said.contains(secret), "the {what} is in the log");
        assert!(
            !contains(&disk, secret.as_bytes()),
            "the {what} is in the data directory"
        );
    }
    let printed = log.matches(&node.admin.secret).count();
    assert_eq!(printed, 1, "the administrator's secret is printed once");
    assert!(
        !contains(&disk, node.admin.secret.as_bytes()),
        "the administrator's secret is in the data directory"
    );
    if let e2e::store::Store::Postgres(database) = &node.place.store {
        let dump = dump(database).await;
        for secret in [&client.secret, &rotated.secret, &node.admin.secret] {
            assert!(!dump.contains(secret.as_str()), "a secret is in the database");
        }
        assert!(!dump.contains(signature), "a token is in the database");
        assert!(dump.contains(&client.id), "the dump holds what the database does");
    }
}

/// Every row of every table, as text.
async fn dump(database: &e2e::postgres::Database) -> String {
    let tables = database.query("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')").await;
    let mut text = String::new();
    for table in tables {
        text.push_str(
            &database
                .query(&format!("SELECT t::text FROM {table} t"))
                .await
                .join("\n"),
        );
    }
    text
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

async fn what_the_node_keeps_is_for_its_owner_only(backend: Backend) {
    let node = NodeOptions::on(backend).start().await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let data_dir = node.place.data_dir();
    assert_eq!(mode(&data_dir) & 0o077, 0, "the data directory");
    let files = e2e::store::files_under(&data_dir);
    let key = files
        .iter()
        .find(|path| path.to_string_lossy().contains("master"))
        .expect("a master key");
    assert_eq!(mode(key), 0o600, "the master key");
}
