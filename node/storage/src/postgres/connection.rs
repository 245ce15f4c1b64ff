//! One connection and the statements that are prepared on it.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::service_role::SERVICE_ROLE;

/// One statement and its values. The text never varies, so that it is prepared once on each connection.
#[derive(Clone, Copy)]
pub struct Step<'a>(pub &'static str, pub &'a [&'a (dyn ToSql + Sync)]);

impl Step<'_> {
    /// A statement without values.
    pub const fn plain(sql: &'static str) -> Self {
        Self(sql, &[])
    }
}

/// How connections are made.
#[derive(Clone)]
pub struct Connector {
    /// Where to.
    pub driver: Config,
    /// With what, if TLS is wanted.
    pub tls: MakeRustlsConnect,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// Whether the role that connects is beyond row level security, and must be put off.
    pub assume_service_role: bool,
}

impl Connector {
    /// A connection as the URL says, without any setting of ours; for questions about the server and for migrations.
    pub async fn bare(&self) -> Result<Client, Error> {
        let (client, line) = self.driver.connect(self.tls.clone()).await?;
        tokio::spawn(async move {
            if let Err(error) = line.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        Ok(client)
    }

    /// A connection that serves requests.
    pub async fn connect(&self) -> Result<Connection, Error> {
        let client = self.bare().await?;
        let limit_ms = self.statement_timeout.as_millis();
        let mut settings = format!(
            "SET statement_timeout = {limit_ms}; SET idle_in_transaction_session_timeout = {limit_ms}; \
             SET client_min_messages = warning;"
        );
        if self.assume_service_role {
            settings.push_str(&format!(" SET ROLE {SERVICE_ROLE}"));
        }
        client.batch_execute(&settings).await?;
        Ok(Connection {
            client,
            statements: HashMap::new(),
            in_transaction: false,
        })
    }
}

/// A connection that serves requests.
pub struct Connection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    /// Set while a transaction is open. A connection that is given back like that belongs to a caller who stopped
    /// waiting in the middle; it is closed.
    pub in_transaction: bool,
}

impl Connection {
    /// More statements than this are sent in several goes.
    pub const FLIGHT_MAX: usize = 24;

    /// Whether the line is down.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Sends all statements, which are prepared, at once and waits for all answers: one round trip. If one fails, its
    /// error is returned, and the server skips the rest, as long as a transaction is open.
    pub async fn flight(&self, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        let mut answers = Vec::with_capacity(steps.len());
        for some in steps.chunks(Self::FLIGHT_MAX) {
            // A query is sent when its future is polled first, and these are polled in their order.
            let queries = some
                .iter()
                .map(|step| self.client.query(&self.statements[step.0], step.1));
            for answer in join_all(queries).await {
                answers.push(answer?);
            }
        }
        Ok(answers)
    }

    /// Prepares those of the statements that are new to this connection, in one round trip.
    pub async fn prepare(&mut self, steps: &[Step<'_>]) -> Result<(), Error> {
        let mut missing: Vec<&'static str> = steps
            .iter()
            .map(|step| step.0)
            .filter(|sql| !self.statements.contains_key(sql))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        missing.dedup();
        let prepared = try_join_all(missing.iter().map(|sql| self.client.prepare(sql))).await?;
        self.statements.extend(missing.into_iter().zip(prepared));
        Ok(())
    }
}
