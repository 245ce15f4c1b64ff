//! A throw-away database in PostgreSQL, with an owner who is no superuser and can't bypass row level security.

use reqwest::Url;
use tokio_postgres::NoTls;

use crate::{settings, unique};

/// A database of its own for one node; dropped with this value.
pub struct Database {
    admin: Url,
    name: String,
}

impl Database {
    /// Makes one, and a role of the same name that owns it.
    pub async fn fresh() -> Self {
        let admin = settings::postgres_url().expect("callers have checked that there is a PostgreSQL");
        let admin: Url = admin.parse().expect("AGENTIDP_TEST_POSTGRES_URL is a URL");
        let name = unique::name("agentidp");
        let database = Self {
            admin,
            name: name.clone(),
        };
        database.drop_everything().await;
        database
            .administer(&format!(
                "CREATE ROLE {name} LOGIN PASSWORD '{name}' NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
            ))
            .await;
        database
            .administer(&format!("CREATE DATABASE {name} OWNER {name}"))
            .await;
        database
    }

    /// The URL that the node gets.
    pub fn url(&self) -> String {
        let mut url = self.inside();
        let fits = url
            .set_username(&self.name)
            .and_then(|()| url.set_password(Some(&self.name)));
        fits.expect("a URL with a host takes a user and a password");
        url.to_string()
    }

    /// Runs statements inside the database as the superuser, triggers and policies notwithstanding.
    pub async fn execute_unchecked(&self, statements: &str) {
        run(
            &self.inside(),
            &format!("SET session_replication_role = replica; {statements}"),
        )
        .await
        .expect("the statements are valid");
    }

    /// Runs statements inside the database as the node's own role would.
    pub async fn execute_as_node(&self, statements: &str) -> Result<(), String> {
        let url = self.url().parse().expect("made above");
        run(&url, statements).await.map_err(|error| {
            error
                .as_db_error()
                .map_or(error.to_string(), |error| error.message().to_owned())
        })
    }

    /// The first column of the rows that a query answers, as text, seen by the superuser.
    pub async fn query(&self, query: &str) -> Vec<String> {
        let rows = connect(&self.inside())
            .await
            .expect("the database is there")
            .simple_query(query)
            .await
            .expect("a valid query");
        rows.iter()
            .filter_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .collect()
    }

    /// Lets nobody in, and throws everybody out, as if the server were gone.
    pub async fn shut(&self) {
        self.administer(&format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", self.name))
            .await;
        self.administer(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        ))
        .await;
    }

    /// Undoes [`Database::shut`].
    pub async fn open(&self) {
        self.administer(&format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.name))
            .await;
    }

    fn inside(&self) -> Url {
        let mut url = self.admin.clone();
        url.set_path(&self.name);
        url
    }

    async fn drop_everything(&self) {
        self.administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))
            .await;
        self.administer(&format!("DROP ROLE IF EXISTS {}", self.name)).await;
    }

    async fn administer(&self, statement: &str) {
        run(&self.admin, statement)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let copy = std::mem::ManuallyDrop::new(Self {
            admin: self.admin.clone(),
            name: self.name.clone(),
        });
        // Dropping is not async, and the test's own runtime may be the one that waits here.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .expect("a runtime without options")
                .block_on(copy.drop_everything());
        });
        let _ = cleaner.join();
    }
}

async fn run(url: &Url, statements: &str) -> Result<(), tokio_postgres::Error> {
    connect(url).await?.batch_execute(statements).await
}

async fn connect(url: &Url) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
