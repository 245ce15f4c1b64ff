//! Migrating a database that is as it should be, and one in which a step fails.

use domain::Secret;
use storage::conformance::world::Tenant;
use storage::{PostgresStore, Stores};

use super::server::{Database, empty};

async fn stores(database: &Database, url: &str) -> Stores {
    let store = PostgresStore::connect(database.config(url)).await;
    Stores::postgres(store.expect("the server is there"))
}

#[tokio::test]
async fn a_second_migration_changes_nothing() {
    let Some(database) = empty("a_second_migration_changes_nothing").await else {
        return;
    };
    for url in [database.url(), database.url_of_admin()].map(Secret::new) {
        let stores = stores(&database, url.expose()).await;
        stores.migrate().await.expect("the migrations are sound");
        let tenant = Tenant::new(&stores).await;
        tenant.registered().await;
        let before = tenant.snapshot().await;
        for _ in 0..2 {
            stores.migrate().await.expect("there is nothing to do");
        }
        assert_eq!(tenant.snapshot().await, before);
        stores.close().await;
    }
}

/// A step is one transaction: where it failed the database is as it was, and the next attempt does it.
#[tokio::test]
async fn a_step_that_fails_leaves_nothing() {
    let Some(database) = empty("a_step_that_fails_leaves_nothing").await else {
        return;
    };
    let owner = database.owner().await;
    owner
        .batch_execute("CREATE TABLE outbox (in_the_way int)")
        .await
        .expect("the owner may");
    let stores = stores(&database, &database.url()).await;
    let refused = stores.migrate().await.expect_err("a table is in the way").to_string();
    assert!(
        refused.contains("migration 0001") && refused.contains("outbox"),
        "{refused}"
    );
    let question = "SELECT count(*) FROM pg_class WHERE relname IN ('organizations', 'agents', 'audit_events')";
    let left: i64 = owner.query_one(question, &[]).await.expect("a query").get(0);
    assert_eq!(left, 0);
    owner.batch_execute("DROP TABLE outbox").await.expect("the owner may");
    stores.migrate().await.expect("nothing is in the way any more");
    Tenant::new(&stores).await;
    stores.close().await;
}
