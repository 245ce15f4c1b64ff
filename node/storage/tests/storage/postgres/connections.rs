//! What happens when the server, the line or another transaction is in the way.

use std::time::Duration;

use domain::ports::StoreError;
use domain::{Action, AuditFilter};
use storage::conformance::world::{Tenant, next};
use storage::{PostgresConfig, PostgresStore, Stores};
use tokio_postgres::Client;

use super::proxy::Proxy;
use super::server::{Database, fresh};

/// Long enough for a busy machine, short enough for a test that has to wait for it.
const SHORT: Duration = Duration::from_millis(500);

#[track_caller]
fn assert_unavailable<T>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(reason)) => reason,
        Err(other) => panic!("Unavailable was expected, not {other:?}"),
        Ok(_) => panic!("Unavailable was expected"),
    }
}

/// Polls until the query, which counts, answers more than 0.
async fn eventually(client: &Client, query: &str) {
    for _ in 0..3000 {
        if client.query_one(query, &[]).await.expect("a query").get::<_, i64>(0) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {query}");
}

/// A query that counts who waits for a lock in this database.
fn waiting(database: &Database) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'",
        database.name
    )
}

/// Somebody's transaction that holds the head of a tenant's chain.
async fn hold_head(database: &Database, tenant: &Tenant) -> Client {
    let holder = database.owner().await;
    let sql = format!(
        "BEGIN; SET LOCAL app.organization_id = '{0}'; SELECT FROM audit_heads WHERE organization_id = '{0}' FOR UPDATE",
        tenant.id()
    );
    holder.batch_execute(&sql).await.expect("the head is free");
    holder
}

async fn append(stores: &Stores, tenant: &Tenant) -> Result<(), StoreError> {
    stores
        .audit_trail
        .append(vec![tenant.record(Action::TokenIssued)])
        .await
}

#[tokio::test]
async fn who_can_not_connect_is_told_why_and_no_password() {
    let Some(database) = fresh("who_can_not_connect_is_told_why_and_no_password").await else {
        return;
    };
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port")
        .local_addr()
        .expect("it is bound");
    for url in [
        format!("postgres://u:hunter2@{free}/d"),
        database.url_as("nobody_here:hunter2"),
        "postgres://u:hunter2@127.0.0.1:1/d".into(),
    ] {
        let reason = assert_unavailable(PostgresStore::connect(database.config(&url)).await);
        assert!(!reason.contains("hunter2") && reason.len() > 20, "{reason}");
    }
}

#[tokio::test]
async fn connections_that_the_server_closed_are_replaced() {
    let Some(database) = fresh("connections_that_the_server_closed_are_replaced").await else {
        return;
    };
    let stores = database.stores().await;
    let tenant = Tenant::new(&stores).await;
    let superuser = database.superuser().await;
    for _ in 0..3 {
        // Returns when they are gone: what one of them had begun meanwhile would be lost with it, and nothing is wrong with
        // that.
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = $1 AND pid <> pg_backend_pid()";
        superuser
            .execute(sql, &[&database.name])
            .await
            .expect("a superuser may");
        stores
            .audit_trail
            .list(tenant.id(), &AuditFilter::default(), Default::default())
            .await
            .expect("another connection is made");
        append(&stores, &tenant).await.expect("another connection is made");
    }
    assert_eq!(tenant.events().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_cut_or_silent_is_unavailable_and_comes_back() {
    let Some(database) = fresh("a_line_that_is_cut_or_silent_is_unavailable_and_comes_back").await else {
        return;
    };
    let proxy = Proxy::start(&database.address(), None).await;
    let url = proxy.url("127.0.0.1", &database.url(), "");
    let config = PostgresConfig {
        connect_timeout: SHORT * 4,
        statement_timeout: SHORT,
        ..database.config(&url)
    };
    let stores = database.stores_of(config).await;
    let tenant = Tenant::new(&stores).await;
    proxy.fall_silent();
    assert_unavailable(append(&stores, &tenant).await);
    assert_unavailable(stores.ping().await);
    proxy.cut();
    assert_unavailable(append(&stores, &tenant).await);
    assert_unavailable(stores.organizations.find(tenant.id()).await);
    proxy.mend();
    append(&stores, &tenant).await.expect("the line is there again");
    let events = tenant.events().await;
    assert!((2..=4).contains(&events.len()), "{}", events.len());
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_unavailable_and_leaves_nothing() {
    let Some(database) = fresh("a_statement_that_waits_too_long_is_unavailable").await else {
        return;
    };
    let stores = database
        .stores_of(PostgresConfig {
            statement_timeout: SHORT,
            ..database.config(&database.url())
        })
        .await;
    let tenant = Tenant::new(&stores).await;
    let holder = hold_head(&database, &tenant).await;
    assert_unavailable(append(&stores, &tenant).await);
    let change = tenant.change(Action::AgentCreated);
    assert_unavailable(stores.agents.register(&tenant.agent(), &change).await);
    holder.batch_execute("ROLLBACK").await.expect("a rollback");
    append(&stores, &tenant).await.expect("the head is free");
    assert_eq!((tenant.events().await.len(), tenant.messages().await.len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_stops_waiting_leaves_no_transaction_open() {
    let Some(database) = fresh("a_caller_who_stops_waiting_leaves_no_transaction_open").await else {
        return;
    };
    let stores = database
        .stores_of(PostgresConfig {
            pool_max: 1,
            ..database.config(&database.url())
        })
        .await;
    let tenant = Tenant::new(&stores).await;
    let (holder, superuser) = (hold_head(&database, &tenant).await, database.superuser().await);
    let caller = tokio::spawn({
        let (stores, tenant) = (stores.clone(), tenant.clone());
        async move { append(&stores, &tenant).await }
    });
    eventually(&superuser, &waiting(&database)).await;
    caller.abort();
    assert!(caller.await.expect_err("it was told to stop").is_cancelled());
    holder.batch_execute("ROLLBACK").await.expect("a rollback");
    append(&stores, &tenant)
        .await
        .expect("the only place in the pool is free again");
    assert_eq!(tenant.events().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_every_connection_taken_is_told_so() {
    let Some(database) = fresh("who_finds_every_connection_taken_is_told_so").await else {
        return;
    };
    let config = PostgresConfig {
        pool_max: 1,
        connect_timeout: SHORT * 4,
        ..database.config(&database.url())
    };
    let stores = database.stores_of(config).await;
    let tenant = Tenant::new(&stores).await;
    let (holder, superuser) = (hold_head(&database, &tenant).await, database.superuser().await);
    let caller = tokio::spawn({
        let (stores, tenant) = (stores.clone(), tenant.clone());
        async move { append(&stores, &tenant).await }
    });
    eventually(&superuser, &waiting(&database)).await;
    assert_eq!(stores.pool_state().active, 1);
    let reason = assert_unavailable(stores.organizations.find(tenant.id()).await);
    assert!(reason.contains("pool_max"), "{reason}");
    holder.batch_execute("ROLLBACK").await.expect("a rollback");
    caller.await.expect("no panic").expect("the head is free");
}

/// The server ends one of two transactions that wait for each other; ours is tried again, and nobody notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_survived() {
    let Some(database) = fresh("a_deadlock_is_survived").await else {
        return;
    };
    let superuser = database.superuser().await;
    // Ours looks for a deadlock once, three seconds into its wait, by when the other waits too; the other much later.
    superuser
        .batch_execute(&format!("ALTER DATABASE {} SET deadlock_timeout = '3s'", database.name))
        .await
        .expect("a superuser may");
    let stores = database.stores().await;
    let tenant = Tenant::new(&stores).await;
    let agent = tenant.registered().await;
    let other = database.superuser().await;
    let hold = format!(
        "SET deadlock_timeout = '60s'; BEGIN; SELECT FROM audit_heads WHERE organization_id = '{}' FOR UPDATE",
        tenant.id()
    );
    other.batch_execute(&hold).await.expect("the head is free");
    let update = tokio::spawn({
        let (stores, tenant, agent) = (stores.clone(), tenant.clone(), agent.clone());
        async move {
            stores
                .agents
                .update(&next(&agent), &tenant.change(Action::AgentUpdated))
                .await
        }
    });
    eventually(&superuser, &waiting(&database)).await;
    let cross = format!(
        "SELECT FROM agents WHERE agent_id = '{}' FOR UPDATE; COMMIT",
        agent.agent_id
    );
    other
        .batch_execute(&cross)
        .await
        .expect("ours was the one that was ended");
    update.await.expect("no panic").expect("it was tried again");
    assert_eq!(
        stores
            .agents
            .find(tenant.id(), agent.agent_id)
            .await
            .expect("an answer"),
        Some(next(&agent))
    );
    assert_eq!(tenant.events().await.len(), 3);
}

#[tokio::test]
async fn a_closed_store_refuses_everything() {
    let Some(database) = fresh("a_closed_store_refuses_everything").await else {
        return;
    };
    let stores = database.stores().await;
    let tenant = Tenant::new(&stores).await;
    stores.close().await;
    stores.close().await;
    for reason in [
        assert_unavailable(append(&stores, &tenant).await),
        assert_unavailable(stores.ping().await),
        assert_unavailable(stores.organizations.find(tenant.id()).await),
    ] {
        assert!(reason.contains("closed"), "{reason}");
    }
    assert_eq!(stores.pool_state(), Default::default());
}
