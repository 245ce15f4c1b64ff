//! A connection in one caller's hands, and its transactions.
//!
//! ```text
//! read:   BEGIN, bind, queries, COMMIT                      one round trip
//! write:  BEGIN, bind, statements ─► decide ─► statements, COMMIT    two
//! ```
//! COMMIT travels with the statements before it: after an error the server turns it into a rollback.

use bb8::PooledConnection;
use domain::ports::StoreError;
use domain::{AgentId, OrganizationId};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::connection::{Connection, Step};
use super::error::Failure;
use super::pool::Manager;

/// Several reads see one and the same instant.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Named, since a database can be set up with another default.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// What a transaction may see; see the migration for the policies.
#[derive(Clone, Debug)]
pub enum Binding {
    /// The rows of one tenant.
    Organization(OrganizationId),
    /// One agent, its organization and its credentials.
    Client(AgentId),
    /// The organization of that name.
    Slug(String),
    /// The outbox of everybody.
    Relay,
}

impl Binding {
    /// The statement that binds; `$1` is [`Binding::value`].
    pub const fn sql(&self) -> &'static str {
        match self {
            Binding::Organization(_) => "SELECT set_config('app.organization_id', $1, true)",
            Binding::Client(_) => "SELECT set_config('app.client_id', $1, true)",
            Binding::Slug(_) => "SELECT set_config('app.organization_slug', $1, true)",
            Binding::Relay => "SELECT set_config('app.role', $1, true)",
        }
    }

    /// What is bound.
    pub fn value(&self) -> String {
        match self {
            Binding::Organization(organization) => organization.to_string(),
            Binding::Client(agent) => agent.to_string(),
            Binding::Slug(slug) => slug.clone(),
            Binding::Relay => "relay".to_owned(),
        }
    }
}

/// A connection in one caller's hands.
pub struct Session {
    connection: PooledConnection<'static, Manager>,
}

impl Session {
    /// Takes a connection into use.
    pub fn new(connection: PooledConnection<'static, Manager>) -> Self {
        Self { connection }
    }

    /// Runs queries that see one instant; answers the rows of each.
    pub async fn read(&mut self, binding: &Binding, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
        let answers = self.open(BEGIN_READ, binding, steps, &[Step::plain(COMMIT)]).await?;
        self.connection.in_transaction = false;
        Ok(answers)
    }

    /// Runs statements that need no decision between them and the commit; answers the rows of each.
    pub async fn write(&mut self, binding: &Binding, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
        let answers = match self.open(BEGIN_WRITE, binding, steps, &[Step::plain(COMMIT)]).await {
            // The commit was sent too, so it is not known that nothing was done.
            Err(Failure::Lost(error)) => return Err(Failure::Final(error)),
            answers => answers?,
        };
        self.connection.in_transaction = false;
        Ok(answers)
    }

    /// Opens a transaction and runs the first statements; answers the rows of each. Goes on with [`Session::commit`] or
    /// [`Session::refuse`]; a session that is dropped in between takes its connection with it.
    pub async fn begin(&mut self, binding: &Binding, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
        self.open(BEGIN_WRITE, binding, steps, &[]).await
    }

    /// Runs the last statements of the open transaction and commits it; answers the rows of each.
    pub async fn commit(&mut self, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
        let steps: Vec<_> = steps.iter().copied().chain([Step::plain(COMMIT)]).collect();
        if let Err(error) = self.connection.prepare(&steps).await {
            return Err(self.refuse(error).await);
        }
        let mut answers = match self.connection.flight(&steps).await {
            Ok(answers) => answers,
            Err(error) => return Err(self.failed(error, &steps).await),
        };
        self.connection.in_transaction = false;
        answers.pop();
        Ok(answers)
    }

    /// Rolls the open transaction back, and answers why.
    pub async fn refuse(&mut self, reason: impl Into<Failure>) -> Failure {
        let rollback = [Step::plain(ROLLBACK)];
        let rolled_back = match self.connection.prepare(&rollback).await {
            Ok(()) => self.connection.flight(&rollback).await.map(drop),
            Err(error) => Err(error),
        };
        // Otherwise the connection is closed instead, as soon as it is given back.
        self.connection.in_transaction = rolled_back.is_err();
        reason.into()
    }

    async fn open(
        &mut self,
        begin: &'static str,
        binding: &Binding,
        steps: &[Step<'_>],
        end: &[Step<'_>],
    ) -> Result<Vec<Vec<Row>>, Failure> {
        let value = binding.value();
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&value];
        let opening = [Step::plain(begin), Step(binding.sql(), &values)];
        let all: Vec<_> = opening.iter().chain(steps).chain(end).copied().collect();
        if let Err(error) = self.connection.prepare(&all).await {
            return Err(self.lost(&error).unwrap_or_else(|| error.into()));
        }
        self.connection.in_transaction = true;
        match self.connection.flight(&all).await {
            Ok(answers) => Ok(answers.into_iter().skip(opening.len()).take(steps.len()).collect()),
            Err(error) => match self.lost(&error) {
                Some(failure) => Err(failure),
                None => Err(self.failed(error, &all).await),
            },
        }
    }

    /// The failure, if it was that of the line. A server that ends a connection says so first; the line goes down a
    /// moment later.
    fn lost(&self, error: &tokio_postgres::Error) -> Option<Failure> {
        let ends = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
        ];
        let is_lost =
            self.connection.is_closed() || error.is_closed() || error.code().is_some_and(|code| ends.contains(code));
        is_lost.then(|| Failure::Lost(StoreError::Unavailable(format!("the connection was lost: {error}"))))
    }

    /// Puts the connection in order after a statement that failed.
    async fn failed(&mut self, error: tokio_postgres::Error, steps: &[Step<'_>]) -> Failure {
        if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
            // The server has become a standby. The connection is closed, and the next one looks for the new primary.
            return error.into();
        }
        let has_ended = steps.len() <= Connection::FLIGHT_MAX && steps.last().is_some_and(|step| step.0 == COMMIT);
        if has_ended && !self.connection.is_closed() {
            // The commit that travelled along has rolled everything back.
            self.connection.in_transaction = false;
            return error.into();
        }
        self.refuse(error).await
    }
}
