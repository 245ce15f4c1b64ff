//! No statement changes the log or empties it, not even a superuser's, as long as the triggers are there.

use domain::Action;
use storage::conformance::world::Tenant;

use super::server::fresh;

#[tokio::test]
async fn no_statement_of_the_owner_or_a_superuser_changes_the_log() {
    let Some(database) = fresh("no_statement_of_the_owner_or_a_superuser_changes_the_log").await else {
        return;
    };
    let stores = database.stores().await;
    let tenant = Tenant::new(&stores).await;
    let records = (0..4).map(|_| tenant.record(Action::TokenIssued));
    tenant.append(records.collect()).await;
    let before = tenant.events().await;
    let owner = database.owner().await;
    let bind = format!("SET app.organization_id = '{}'", tenant.id());
    owner.batch_execute(&bind).await.expect("a setting");
    for client in [owner, database.superuser().await] {
        for statement in [
            "UPDATE audit_events SET outcome = 'failure' WHERE sequence = 3",
            "DELETE FROM audit_events WHERE sequence = 5",
            "TRUNCATE audit_events",
            "TRUNCATE audit_heads",
            "TRUNCATE organizations CASCADE",
            "INSERT INTO audit_events SELECT * FROM audit_events WHERE sequence = 5
             ON CONFLICT (organization_id, sequence) DO UPDATE SET outcome = 'failure'",
            "DELETE FROM audit_heads",
            "UPDATE audit_heads SET sequence = 3",
        ] {
            let refused = client.batch_execute(statement).await.expect_err(statement);
            let reason = refused.as_db_error().expect("the server says why").message();
            let is_ours = reason.contains("append only") || reason.contains("moves forward");
            assert!(is_ours, "{statement}: {reason}");
        }
    }
    assert_eq!(tenant.events().await, before);
    stores.close().await;
}
