//! A PostgreSQL server, and throw-away databases on it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::Secret;
use storage::conformance::world;
use storage::{PostgresConfig, PostgresStore, Stores};
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

/// A database of its own, with an owner who is neither superuser nor beyond row level security; dropped with this value.
pub struct Database {
    admin: String,
    /// Of the database and of its owner.
    pub name: String,
}

/// A database that is migrated and shared by all tests that run at the same time; `None` if there is no server.
pub async fn shared(test: &str) -> Option<Arc<Database>> {
    static SHARED: Mutex<Weak<Database>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(database) = shared.upgrade() {
        return Some(database);
    }
    let database = Arc::new(fresh(test).await?);
    *shared = Arc::downgrade(&database);
    Some(database)
}

/// A database that is migrated and nobody else's; `None` if there is no server.
pub async fn fresh(test: &str) -> Option<Database> {
    let database = empty(test).await?;
    database.stores().await.close().await;
    Some(database)
}

/// A database without anything in it, and nobody else's; `None` if there is no server.
#[allow(clippy::disallowed_methods, reason = "this is where the tests learn of their server")]
pub async fn empty(test: &str) -> Option<Database> {
    let Ok(admin) = std::env::var("AGENTIDP_TEST_POSTGRES_URL") else {
        skipped(test);
        return None;
    };
    let name = format!("agentidp_storage_{}_{}", std::process::id(), world::unique());
    let database = Database {
        admin,
        name: name.clone(),
    };
    database.drop_everything().await;
    database
        .administer(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{name}' NOSUPERUSER NOBYPASSRLS"
        ))
        .await;
    database
        .administer(&format!("CREATE DATABASE {name} OWNER {name}"))
        .await;
    Some(database)
}

/// Says that a test did not run, in the log and in the list that the runner counts.
#[allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a skipped test must be seen"
)]
fn skipped(test: &str) {
    use std::io::Write;
    let line =
        format!("postgres::{test}: AGENTIDP_TEST_POSTGRES_URL is not set; ./tests/run starts a server and sets it\n");
    eprint!("SKIPPED {line}");
    if let Ok(path) = std::env::var("AGENTIDP_TEST_SKIPPED") {
        let list = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // One write, so that tests in parallel don't mix their lines.
        list.and_then(|mut list| list.write_all(line.as_bytes()))
            .expect("the runner's list can be written");
    }
}

impl Database {
    /// Where the service connects.
    pub fn url(&self) -> String {
        self.url_as(&format!("{0}:{0}", self.name))
    }

    /// Where the service connects if somebody gave it the superuser's URL.
    pub fn url_of_admin(&self) -> String {
        let (user, _) = self.parts();
        self.url_as(&user)
    }

    /// The database's URL for `user:password`.
    pub fn url_as(&self, user: &str) -> String {
        let (_, rest) = self.parts();
        let at = if user.is_empty() { "" } else { "@" };
        format!("postgres://{user}{at}{rest}")
    }

    /// How the service connects in these tests.
    pub fn config(&self, url: &str) -> PostgresConfig {
        PostgresConfig {
            url: Secret::new(url),
            pool_max: 8,
            pool_min: 0,
            connect_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(20),
        }
    }

    /// The stores, as the service opens them.
    pub async fn stores(&self) -> Stores {
        self.stores_of(self.config(&self.url())).await
    }

    /// The stores with other settings.
    pub async fn stores_of(&self, config: PostgresConfig) -> Stores {
        let stores = Stores::postgres(PostgresStore::connect(config).await.expect("the server is there"));
        stores.migrate().await.expect("the migrations are sound");
        stores
    }

    /// A connection as the service has it, without anything bound.
    pub async fn owner(&self) -> Client {
        connect(&self.url()).await
    }

    /// A connection as the superuser, who sees everything.
    pub async fn superuser(&self) -> Client {
        connect(&self.url_of_admin()).await
    }

    /// The server's address.
    pub fn address(&self) -> tokio_postgres::Config {
        self.admin
            .parse()
            .expect("AGENTIDP_TEST_POSTGRES_URL is a URL of PostgreSQL")
    }

    /// The user, with the password; and host, port, database and parameters.
    fn parts(&self) -> (String, String) {
        let rest = self
            .admin
            .split_once("://")
            .expect("AGENTIDP_TEST_POSTGRES_URL is a URL")
            .1;
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, String::new()), |(rest, query)| (rest, format!("?{query}")));
        let (user, host) = rest.rsplit_once('@').unwrap_or(("", rest));
        let host = host.split('/').next().unwrap_or_default();
        (user.to_owned(), format!("{host}/{}{query}", self.name))
    }

    async fn administer(&self, statement: &str) {
        let done = connect(&self.admin).await.batch_execute(statement).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }

    async fn drop_everything(&self) {
        self.administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))
            .await;
        self.administer(&format!("DROP ROLE IF EXISTS {}", self.name)).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let twin = std::mem::ManuallyDrop::new(Self {
            admin: self.admin.clone(),
            name: self.name.clone(),
        });
        // Dropping is not async, and it is the test's own runtime that would have to wait.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .expect("a runtime without options")
                .block_on(twin.drop_everything());
        });
        // A test that fails anyway is not helped by a second panic.
        let _ = cleaner.join();
    }
}

/// A plain connection.
pub async fn connect(url: &str) -> Client {
    let (client, line) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the server takes connections");
    tokio::spawn(line);
    client
}
