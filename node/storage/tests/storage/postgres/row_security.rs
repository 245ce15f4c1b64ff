//! The database itself keeps organizations apart, whatever a statement asks for.

use domain::Action;
use storage::Stores;
use storage::conformance::world::Tenant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::server::{Database, fresh};

/// Two organizations, each with an agent, a credential, audit events and messages.
async fn two_tenants(stores: &Stores) -> [Tenant; 2] {
    let tenants = [Tenant::new(stores).await, Tenant::new(stores).await];
    for tenant in &tenants {
        let agent = tenant.registered().await;
        tenant.stored(agent.agent_id).await;
    }
    tenants
}

/// Every table that says whose its rows are.
async fn tables(client: &Client) -> Vec<String> {
    let question = "SELECT table_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'organization_id' ORDER BY 1";
    let rows = client.query(question, &[]).await.expect("a query");
    let tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(tables.len() >= 6, "{tables:?}");
    tables
}

async fn count(client: &Client, table: &str, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
    client.query_one(&sql, &[]).await.expect("a query").get(0)
}

async fn bind(client: &Client, setting: &str, value: &str) {
    client
        .execute("SELECT set_config($1, $2, true)", &[&setting, &value])
        .await
        .expect("a setting");
}

async fn set_up(test: &str) -> Option<(Database, Stores, [Tenant; 2])> {
    let database = fresh(test).await?;
    let stores = database.stores().await;
    let tenants = two_tenants(&stores).await;
    Some((database, stores, tenants))
}

#[tokio::test]
async fn every_table_of_tenants_enforces_row_level_security_on_its_owner_too() {
    let Some((database, ..)) = set_up("every_table_of_tenants_enforces_row_level_security").await else {
        return;
    };
    let client = database.owner().await;
    for table in tables(&client).await {
        let sql = "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = $1::text::regclass";
        let enforced: bool = client.query_one(sql, &[&table]).await.expect("a query").get(0);
        assert!(enforced, "{table}");
    }
}

#[tokio::test]
async fn nobody_who_is_not_bound_sees_or_changes_a_row() {
    let Some((database, ..)) = set_up("nobody_who_is_not_bound_sees_or_changes_a_row").await else {
        return;
    };
    let (client, all) = (database.owner().await, database.superuser().await);
    for table in tables(&client).await {
        assert!(count(&all, &table, "true").await > 0, "{table}");
        assert_eq!(count(&client, &table, "true").await, 0, "{table}");
    }
    for sql in [
        "UPDATE agents SET owner = 'x'",
        "UPDATE credentials SET scopes = 'x'",
        "DELETE FROM outbox",
        "DELETE FROM agents",
    ] {
        assert_eq!(
            client.execute(sql, &[]).await.expect("nothing is there to be changed"),
            0,
            "{sql}"
        );
    }
}

#[tokio::test]
async fn a_transaction_sees_its_own_organization_and_forgets_it_at_the_end() {
    let Some((database, _, tenants)) = set_up("a_transaction_sees_its_own_organization").await else {
        return;
    };
    let mut client = database.owner().await;
    let tables = tables(&client).await;
    let id = tenants[0].id().to_string();
    let transaction = client.transaction().await.expect("a transaction");
    bind(transaction.client(), "app.organization_id", &id).await;
    for table in &tables {
        assert!(
            count(transaction.client(), table, &format!("organization_id = '{id}'")).await > 0,
            "{table}"
        );
        assert_eq!(
            count(transaction.client(), table, &format!("organization_id <> '{id}'")).await,
            0,
            "{table}"
        );
    }
    transaction.commit().await.expect("a commit");
    assert_eq!(count(&client, "agents", "true").await, 0);
}

#[tokio::test]
async fn a_row_can_not_be_given_to_another_organization() {
    let Some((database, _, tenants)) = set_up("a_row_can_not_be_given_to_another_organization").await else {
        return;
    };
    let mut client = database.owner().await;
    let (own, other) = (tenants[0].id(), tenants[1].id());
    let other = other.to_string();
    for sql in [
        format!("INSERT INTO outbox (organization_id, occurred_at, message) VALUES ('{other}', now(), '{{}}')"),
        format!("UPDATE outbox SET organization_id = '{other}'"),
        format!("INSERT INTO audit_heads (organization_id, sequence, hash) VALUES ('{other}', 0, '')"),
    ] {
        let transaction = client.transaction().await.expect("a transaction");
        bind(transaction.client(), "app.organization_id", &own.to_string()).await;
        let error = transaction.execute(&sql, &[]).await.expect_err(&sql);
        assert_eq!(
            error.code(),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}: {error:?}"
        );
    }
}

#[tokio::test]
async fn who_looks_for_one_client_sees_that_client_only_and_changes_nothing() {
    let Some((database, stores, tenants)) = set_up("who_looks_for_one_client_sees_that_client_only").await else {
        return;
    };
    let agent = tenants[0].registered().await.agent_id;
    assert!(stores.clients.load(agent).await.expect("the store answers").is_some());
    let mut client = database.owner().await;
    let transaction = client.transaction().await.expect("a transaction");
    bind(transaction.client(), "app.client_id", &agent.to_string()).await;
    let seen = transaction.client();
    assert_eq!(count(seen, "agents", "true").await, 1);
    assert_eq!(count(seen, "agents", &format!("agent_id = '{agent}'")).await, 1);
    assert_eq!(
        count(
            seen,
            "organizations",
            &format!("organization_id = '{}'", tenants[0].id())
        )
        .await,
        1
    );
    assert_eq!(count(seen, "organizations", "true").await, 1);
    for table in ["credentials", "audit_events", "audit_heads", "outbox"] {
        assert_eq!(count(seen, table, "true").await, 0, "{table}");
    }
    assert_eq!(
        seen.execute("UPDATE agents SET owner = 'x'", &[])
            .await
            .expect("nothing to change"),
        0
    );
}

#[tokio::test]
async fn a_slug_shows_one_organization_and_the_relay_sees_the_outbox_only() {
    let Some((database, _, tenants)) = set_up("a_slug_shows_one_organization").await else {
        return;
    };
    let mut client = database.owner().await;
    let tables = tables(&client).await;
    for (setting, value, table, rows) in [
        (
            "app.organization_slug",
            tenants[1].organization.slug.as_str(),
            "organizations",
            1,
        ),
        ("app.role", "relay", "outbox", 6),
    ] {
        let transaction = client.transaction().await.expect("a transaction");
        bind(transaction.client(), setting, value).await;
        for other in &tables {
            let expected = if other == table { rows } else { 0 };
            assert_eq!(
                count(transaction.client(), other, "true").await,
                expected,
                "{setting}: {other}"
            );
        }
    }
}

/// With a superuser's URL the policies would not hold; the service puts the superuser off.
#[tokio::test]
async fn a_superuser_serves_as_a_role_that_the_policies_hold_for() {
    let Some(database) = super::server::empty("a_superuser_serves_as_a_role_that_the_policies_hold_for").await else {
        return;
    };
    let stores = database.stores_of(database.config(&database.url_of_admin())).await;
    let all = database.superuser().await;
    all.batch_execute("ALTER TABLE agents ADD COLUMN written_by text DEFAULT current_user")
        .await
        .expect("a new column");
    let tenants = two_tenants(&stores).await;
    let agent = tenants[0].registered().await;
    let rows = all
        .query("SELECT DISTINCT written_by FROM agents", &[])
        .await
        .expect("a query");
    let roles: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(roles, ["agentidp_service"]);
    // Whatever the service does works in that role too.
    storage::conformance::credentials::every_write_leaves_an_audit_event_and_a_message(&stores).await;
    storage::conformance::outbox::what_is_complete_does_not_come_back(&stores).await;
    storage::conformance::clients::a_former_secret_comes_along_during_its_overlap(&stores).await;
    assert!(
        stores
            .agents
            .find(tenants[1].id(), agent.agent_id)
            .await
            .expect("the store answers")
            .is_none()
    );
    tenants[0].append(vec![tenants[0].record(Action::TokenIssued)]).await;
    let all = database.superuser().await;
    all.batch_execute("SET ROLE agentidp_service")
        .await
        .expect("the role is there");
    for sql in [
        "UPDATE audit_events SET outcome = 'failure'",
        "DELETE FROM audit_events",
        "TRUNCATE agents CASCADE",
        "DROP TABLE agents",
    ] {
        let error = all.batch_execute(sql).await.expect_err(sql);
        assert_eq!(
            error.code(),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}: {error:?}"
        );
    }
    for table in tables(&all).await {
        assert_eq!(count(&all, &table, "true").await, 0, "{table}");
    }
}
