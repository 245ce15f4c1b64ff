//! Bringing a database to the present schema, and refusing one that is not ours to touch.

use domain::ports::StoreError;
use storage::{PostgresStore, Stores};

use super::server::{Database, empty, fresh};

async fn store(database: &Database) -> PostgresStore {
    PostgresStore::connect(database.config(&database.url()))
        .await
        .expect("the server is there")
}

/// The sentence with which a migration is refused.
async fn refusal(database: &Database) -> String {
    match store(database).await.migrate().await {
        Err(StoreError::Corrupt(sentence)) => sentence,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_that_start_at_once_migrate_once() {
    let Some(database) = empty("several_nodes_that_start_at_once_migrate_once").await else {
        return;
    };
    let mut nodes = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = store(&database).await;
        nodes.spawn(async move { store.migrate().await });
    }
    while let Some(migrated) = nodes.join_next().await {
        migrated
            .expect("no task panics")
            .expect("each finds the schema as it should be");
    }
    let ledger = database
        .owner()
        .await
        .query("SELECT version, name, checksum FROM schema_migrations", &[])
        .await;
    let ledger = ledger.expect("the ledger is there");
    assert_eq!(ledger.len(), 1);
    assert_eq!((ledger[0].get::<_, i32>(0), ledger[0].get::<_, &str>(2).len()), (1, 64));
    storage::conformance::agents::an_agent_is_found_as_it_was_registered(&Stores::postgres(store(&database).await))
        .await;
}

#[tokio::test]
async fn a_database_that_a_newer_version_migrated_is_refused() {
    let Some(database) = fresh("a_database_that_a_newer_version_migrated_is_refused").await else {
        return;
    };
    let note = "INSERT INTO schema_migrations (version, name, checksum) VALUES (2, '0002_later', 'x')";
    database
        .owner()
        .await
        .batch_execute(note)
        .await
        .expect("the ledger is there");
    let sentence = refusal(&database).await;
    assert!(
        sentence.contains("migration 2") && sentence.contains("newer"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_database_with_a_changed_migration_is_refused() {
    let Some(database) = fresh("a_database_with_a_changed_migration_is_refused").await else {
        return;
    };
    let note = "UPDATE schema_migrations SET checksum = repeat('0', 64)";
    database
        .owner()
        .await
        .batch_execute(note)
        .await
        .expect("the ledger is there");
    let sentence = refusal(&database).await;
    assert!(sentence.contains("0001_") && sentence.contains("changed"), "{sentence}");
}

/// The tables may belong to one role, which migrates, and be used by another, which may not even touch the schema.
#[tokio::test]
async fn a_role_that_owns_nothing_can_serve() {
    let Some(database) = fresh("a_role_that_owns_nothing_can_serve").await else {
        return;
    };
    let server = super::server::fresh("its_login")
        .await
        .expect("there was a server just now");
    let superuser = database.superuser().await;
    let create = "DO $$ BEGIN CREATE ROLE agentidp_service NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    superuser.batch_execute(create).await.expect("a superuser makes roles");
    // Now that there is a service role, the owner's next migration gives it what it needs.
    store(&database).await.migrate().await.expect("the owner migrates");
    superuser
        .batch_execute(&format!("GRANT agentidp_service TO {}", server.name))
        .await
        .expect("a superuser grants");
    let url = database.url_as(&format!("{0}:{0}", server.name));
    let stores = database.stores_of(database.config(&url)).await;
    storage::conformance::agents::a_decommissioned_agent_has_no_credentials_left(&stores).await;
    storage::conformance::isolation::agents_of_others_can_not_be_changed(&stores).await;
    stores.close().await;
}
