//! The role that serves requests when the one that connects is beyond row level security.
//!
//! A superuser, or a role with BYPASSRLS, sees every tenant's rows whatever the policies say. So each connection puts such
//! a role off right away, in favour of [`SERVICE_ROLE`], which `migrate` makes and which owns nothing. With an ordinary
//! role in `store.url`, which is better, none of this happens, unless an operator made [`SERVICE_ROLE`] so as to let a role
//! serve that does not own the tables: then `migrate` gives it what it needs too.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// The role's name; one for all installations on a server, since roles are not per database.
pub const SERVICE_ROLE: &str = "agentidp_service";

/// What a service may do. It can't change or remove what is in the audit log, and owns no table.
const GRANTS: &str = "
    GRANT SELECT, INSERT, UPDATE ON organizations, agents, credentials, audit_heads TO agentidp_service;
    GRANT SELECT, INSERT ON audit_events TO agentidp_service;
    GRANT SELECT, INSERT, DELETE ON outbox TO agentidp_service;
    GRANT SELECT ON schema_migrations TO agentidp_service;";

/// Who is connected, and to what.
pub struct Session {
    /// Such as 150018.
    pub server_version: i32,
    /// The role's name.
    pub role: String,
    /// Whether row level security does not hold for it.
    pub bypasses_row_security: bool,
}

/// Asks the server who we are.
pub async fn who_am_i(client: &Client) -> Result<Session, tokio_postgres::Error> {
    let question = "SELECT current_setting('server_version_num')::int, rolname::text, rolsuper OR rolbypassrls
                    FROM pg_roles WHERE rolname = current_user";
    let row = client.query_one(question, &[]).await?;
    Ok(Session {
        server_version: row.try_get(0)?,
        role: row.try_get(1)?,
        bypasses_row_security: row.try_get(2)?,
    })
}

/// Makes the role if it is needed, and gives it what the tables have come to need. Whoever calls this owns the tables or
/// is a superuser; otherwise nothing happens.
pub async fn provide(client: &Client, needed: bool) -> Result<(), tokio_postgres::Error> {
    let state = "SELECT to_regrole('agentidp_service') IS NOT NULL, pg_has_role(relowner, 'USAGE')
                 FROM pg_class WHERE oid = 'schema_migrations'::regclass";
    let row = client.query_one(state, &[]).await?;
    let (exists, may_grant): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if needed && !exists {
        create(client).await?;
    }
    if (needed || exists) && may_grant {
        client.batch_execute(GRANTS).await?;
    }
    Ok(())
}

async fn create(client: &Client) -> Result<(), tokio_postgres::Error> {
    match client
        .batch_execute("CREATE ROLE agentidp_service NOLOGIN NOSUPERUSER NOBYPASSRLS")
        .await
    {
        // Another node, perhaps of another installation on this server, was faster.
        Err(error)
            if [Some(&SqlState::DUPLICATE_OBJECT), Some(&SqlState::UNIQUE_VIOLATION)].contains(&error.code()) =>
        {
            Ok(())
        }
        result => result,
    }
}
