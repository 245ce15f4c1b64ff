//! The pool of connections.

use std::future::pending;
use std::time::Duration;

use bb8::{ErrorSink, ManageConnection, RunError};
use domain::ports::StoreError;
use tokio::sync::watch;

use super::connection::{Connection, Connector};
use super::error::{Failure, store_error};
use super::session::Session;
use crate::health::PoolState;

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// At most.
    pub max: u32,
    /// Kept open when there is nothing to do.
    pub min: u32,
    /// How long a caller waits for one.
    pub wait: Duration,
    /// After how long without use one is closed.
    pub idle: Duration,
}

/// Connections that wait for work. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    connections: bb8::Pool<Manager>,
    failures: watch::Sender<String>,
}

impl Pool {
    /// A pool that makes its connections in the background.
    pub fn new(connector: Connector, limits: PoolLimits) -> Self {
        let failures = watch::Sender::new(String::new());
        let connections = bb8::Pool::builder()
            .max_size(limits.max.max(1))
            .min_idle(limits.min.min(limits.max))
            .connection_timeout(limits.wait)
            .idle_timeout(limits.idle)
            // Without this a caller would wait out the whole time-out while the server refuses connections.
            .retry_connection(false)
            .error_sink(Box::new(Failures(failures.clone())))
            .build_unchecked(Manager {
                connector,
                limit: limits.wait,
            });
        Self { connections, failures }
    }

    /// A connection, as soon as one is free; fails as soon as it is known that there will be none.
    pub async fn session(&self) -> Result<Session, Failure> {
        let got = tokio::select! {
            biased;
            got = self.connections.get_owned() => got,
            reason = self.refused() => return Err(Failure::Final(StoreError::Unavailable(reason))),
        };
        match got {
            Ok(connection) => Ok(Session::new(connection)),
            Err(RunError::User(error)) => Err(Failure::Final(error)),
            Err(RunError::TimedOut) => {
                let reason =
                    "no connection to PostgreSQL became free in time; look at its load, or raise store.pool_max";
                Err(Failure::Final(StoreError::Unavailable(reason.to_owned())))
            }
        }
    }

    /// How busy the connections are.
    pub fn state(&self) -> PoolState {
        let state = self.connections.state();
        PoolState {
            active: state.connections - state.idle_connections,
            waiting: u32::try_from(state.statistics.pending_gets()).unwrap_or(u32::MAX),
        }
    }

    /// Waits until an attempt to connect has failed while there is no connection at all.
    async fn refused(&self) -> String {
        let mut failures = self.failures.subscribe();
        loop {
            if failures.changed().await.is_err() {
                return pending().await;
            }
            if self.connections.state().connections == 0 {
                return failures.borrow().clone();
            }
        }
    }
}

/// Makes connections for the pool and tells which can be used again.
pub struct Manager {
    connector: Connector,
    limit: Duration,
}

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = StoreError;

    async fn connect(&self) -> Result<Connection, StoreError> {
        match tokio::time::timeout(self.limit, self.connector.connect()).await {
            Ok(connected) => connected.map_err(|error| store_error(&error)),
            Err(_) => Err(StoreError::Unavailable(
                "PostgreSQL did not accept a connection in time".to_owned(),
            )),
        }
    }

    async fn is_valid(&self, connection: &mut Connection) -> Result<(), StoreError> {
        // No question to the server: that would be a round trip for each use.
        if connection.is_closed() {
            return Err(StoreError::Unavailable("PostgreSQL closed the connection".to_owned()));
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_closed() || connection.in_transaction
    }
}

/// Hears of connections that failed.
#[derive(Clone, Debug)]
struct Failures(watch::Sender<String>);

impl ErrorSink<StoreError> for Failures {
    fn sink(&self, error: StoreError) {
        tracing::debug!(%error, "a connection to PostgreSQL failed");
        self.0.send_replace(error.to_string());
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<StoreError>> {
        Box::new(self.clone())
    }
}
