//! Nothing in the schema opens a way round row level security, and no binding outlives its transaction.

use domain::Action;
use storage::conformance::world::Tenant;

use super::server::fresh;

#[tokio::test]
async fn every_table_is_known_and_has_the_policy_of_tenants() {
    let Some(database) = fresh("every_table_is_known_and_has_the_policy_of_tenants").await else {
        return;
    };
    // A table without an organization holds nothing of any organization: there is only the ledger.
    let question =
        "SELECT c.relname::text, (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant'
            AND p.polcmd = '*' AND pg_get_expr(p.polqual, c.oid) LIKE '%organization_id = %app.organization_id%'
            AND pg_get_expr(p.polwithcheck, c.oid) = pg_get_expr(p.polqual, c.oid))
        FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1";
    let rows = database.owner().await.query(question, &[]).await.expect("a query");
    let tables: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let without: Vec<&str> = tables
        .iter()
        .filter(|table| table.1 != 1)
        .map(|table| table.0.as_str())
        .collect();
    assert_eq!(without, ["schema_migrations"]);
    assert!(tables.len() >= 7, "{tables:?}");
}

#[tokio::test]
async fn no_view_and_no_function_runs_with_the_rights_of_its_owner() {
    let Some(database) = fresh("no_view_and_no_function_runs_with_the_rights_of_its_owner").await else {
        return;
    };
    let client = database.owner().await;
    for question in [
        "SELECT count(*) FROM pg_class WHERE relkind IN ('v', 'm', 'f') AND relnamespace = 'public'::regnamespace",
        "SELECT count(*) FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace",
    ] {
        let found: i64 = client.query_one(question, &[]).await.expect("a query").get(0);
        assert_eq!(found, 0, "{question}");
    }
}

/// What was bound for one caller is gone when the next one gets the connection, also after a refusal.
#[tokio::test]
async fn a_connection_that_served_one_organization_shows_the_next_nothing_of_it() {
    let Some(database) = fresh("a_connection_that_served_one_organization_shows_the_next_nothing_of_it").await else {
        return;
    };
    let mut config = database.config(&database.url());
    config.pool_max = 1;
    let stores = database.stores_of(config).await;
    let tenants = [Tenant::new(&stores).await, Tenant::new(&stores).await];
    for round in 0..20 {
        let (one, other) = (&tenants[round % 2], &tenants[(round + 1) % 2]);
        let agent = one.registered().await.agent_id;
        let impossible = one.impossible_change(Action::AgentCreated).await;
        let refused = stores.agents.register(&one.agent(), &impossible).await;
        refused.expect_err("the event is in the log already");
        let found = stores.agents.find(other.id(), agent).await;
        assert_eq!(found.expect("the store answers"), None);
        assert!(stores.clients.load(agent).await.expect("the store answers").is_some());
        let found = stores.agents.find(other.id(), agent).await;
        assert_eq!(found.expect("the store answers"), None);
    }
    stores.close().await;
}
