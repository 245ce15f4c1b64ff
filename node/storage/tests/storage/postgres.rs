//! PostgreSQL: the suite, as a role that is no superuser, and what only a server can get wrong.
//!
//! The server is named by `AGENTIDP_TEST_POSTGRES_URL`, with a role that may make databases and roles. Without it these
//! tests say so and are counted as skipped.

mod append_only;
mod catalogue;
mod connections;
mod migrations;
mod migrations_again;
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

/// The same with a superuser's URL, as whoever tries the service out has it: it must serve as another role.
macro_rules! on_server_as_superuser {
    ($($module:ident { $($name:ident)+ })+) => {
        mod suite_as_superuser {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let test = concat!("superuser::", stringify!($module), "::", stringify!($name));
                    let Some(database) = super::super::server::shared(test).await else { return };
                    let stores = database.stores_of(database.config(&database.url_of_admin())).await;
                    storage::conformance::$module::$name(&stores).await;
                    stores.close().await;
                })+
            })+
        }
    };
}

storage::conformance_suite!(on_server_as_superuser);
