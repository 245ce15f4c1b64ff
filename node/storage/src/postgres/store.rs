//! Connecting, migrating, pinging and closing.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use domain::ports::StoreError;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

use super::config::{PostgresConfig, Target};
use super::connection::{Connector, Step};
use super::error::{Failure, store_error};
use super::migrations::{self, MIGRATIONS};
use super::pool::{Pool, PoolLimits};
use super::service_role;
use super::session::{Binding, Session};
use super::tls;
use crate::health::PoolState;

/// The oldest server that is supported.
const SERVER_VERSION_MIN: i32 = 140_000;
/// How often a transaction is tried when others are in its way.
const ATTEMPTS_MAX: u32 = 5;
/// How long the second attempt waits; each one after it waits longer by the same.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(5);

/// The store in PostgreSQL.
pub struct PostgresStore {
    connector: Connector,
    /// `None` once the store is closed.
    pool: RwLock<Option<Pool>>,
    attempt_limit: Duration,
}

impl PostgresStore {
    /// Connects, and looks whether the server will do. Nothing is changed; see [`PostgresStore::migrate`].
    pub async fn connect(config: PostgresConfig) -> Result<Self, StoreError> {
        let target = Target::parse(&config)?;
        if target.is_exposed() {
            tracing::warn!("the connection to PostgreSQL is not encrypted; add sslmode=verify-full to store.url");
        }
        let mut connector = Connector {
            tls: tls::connector(&target)?,
            driver: target.driver,
            statement_timeout: config.statement_timeout,
            assume_service_role: false,
        };
        let session = timeout(config.connect_timeout, who_am_i(&connector)).await;
        let session =
            session.map_err(|_| StoreError::Unavailable("PostgreSQL did not answer in time".to_owned()))??;
        if session.server_version < SERVER_VERSION_MIN {
            let version = session.server_version / 10_000;
            return Err(StoreError::Unavailable(format!(
                "PostgreSQL {version} is too old; 14 or newer is needed"
            )));
        }
        if session.bypasses_row_security {
            tracing::warn!(
                role = session.role,
                "this role is beyond row level security; requests are served as the role {} instead. An ordinary role in \
                 store.url is better",
                service_role::SERVICE_ROLE
            );
            connector.assume_service_role = true;
        }
        let limits = PoolLimits {
            max: config.pool_max,
            min: config.pool_min,
            wait: config.connect_timeout,
            idle: config.idle_timeout,
        };
        let pool = Pool::new(connector.clone(), limits);
        // Waiting for a connection, then at most four round trips of which two may wait for locks.
        let attempt_limit = config.connect_timeout + config.statement_timeout * 2;
        Ok(Self {
            connector,
            pool: RwLock::new(Some(pool)),
            attempt_limit,
        })
    }

    /// Brings the schema to the form that this version needs; one node does, others wait for it.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut client = self.connector.bare().await.map_err(|error| store_error(&error))?;
        migrations::migrate(&mut client, MIGRATIONS).await?;
        let provided = service_role::provide(&client, self.connector.assume_service_role).await;
        provided.map_err(|error| {
            let role = service_role::SERVICE_ROLE;
            StoreError::Unavailable(format!("the role {role} can't be set up: {}", store_error(&error)))
        })
    }

    /// How long the server takes to answer.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let started = Instant::now();
        let ask = [Step::plain("SELECT 1")];
        self.attempt(|mut session| async move { session.read(&Binding::Relay, &ask).await })
            .await?;
        Ok(started.elapsed())
    }

    /// How busy the connections are.
    pub fn pool_state(&self) -> PoolState {
        self.pool().map(|pool| pool.state()).unwrap_or_default()
    }

    /// Takes no more work. What is under way goes on, and its connection is closed when it has ended.
    pub async fn close(&self) {
        self.pool.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Runs an operation, again if other transactions were in its way, within a limit of time. An operation that is cut
    /// off leaves its connection to be closed, and with it the transaction.
    pub(super) async fn attempt<T, F>(&self, mut operation: impl FnMut(Session) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pause = Duration::ZERO;
        let mut count = 0;
        loop {
            count += 1;
            let attempt = async {
                let session = self.pool()?.session().await?;
                operation(session).await
            };
            match timeout(self.attempt_limit, attempt).await {
                Ok(Ok(result)) => return Ok(result),
                Ok(Err(Failure::Again(error) | Failure::Lost(error))) if count < ATTEMPTS_MAX => {
                    tracing::debug!(%error, count, "a transaction is repeated");
                }
                Ok(Err(failure)) => return Err(failure.into_store_error()),
                Err(_) => return Err(StoreError::Unavailable("PostgreSQL did not answer in time".to_owned())),
            }
            pause += ATTEMPT_PAUSE;
            sleep(pause).await;
        }
    }

    fn pool(&self) -> Result<Pool, StoreError> {
        let pool = self.pool.read().unwrap_or_else(PoisonError::into_inner).clone();
        pool.ok_or_else(|| StoreError::Unavailable("the store is closed".to_owned()))
    }
}

async fn who_am_i(connector: &Connector) -> Result<service_role::Session, StoreError> {
    let ask = async {
        let client: Client = connector.bare().await?;
        service_role::who_am_i(&client).await
    };
    ask.await.map_err(|error| store_error(&error))
}
