//! PostgreSQL: the suite, as a role that is no superuser, and what only a server can get wrong.
//!
//! The server is named by `AGENTIDP_TEST_POSTGRES_URL`, with a role that may make databases and roles. Without it these
//! tests say so and are counted as skipped.

mod connections;
mod migrations;
mod proxy;
mod row_security;
mod server;
mod tampering;
mod tls;

macro_rules! on_server {
    ($($module:ident { $($name:ident)+ })+) => {
        mod suite {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let Some(database) = super::super::server::shared(concat!(stringify!($module), "::", stringify!($name))).await
                    else { return };
                    let stores = database.stores().await;
                    storage::conformance::$module::$name(&stores).await;
                    stores.close().await;
                })+
            })+
        }
    };
}

storage::conformance_suite!(on_server);
