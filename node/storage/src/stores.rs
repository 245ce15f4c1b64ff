//! Every storage port of one store, whichever it is.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Agents, AuditTrail, Clients, Credentials, Organizations, Outbox, StoreError};

use crate::embedded::EmbeddedStore;
use crate::health::PoolState;
use crate::postgres::PostgresStore;

/// The ports of one store. Cheap to clone.
#[derive(Clone)]
pub struct Stores {
    /// Organizations.
    pub organizations: Arc<dyn Organizations>,
    /// Agents.
    pub agents: Arc<dyn Agents>,
    /// Credentials.
    pub credentials: Arc<dyn Credentials>,
    /// Agents as OAuth clients.
    pub clients: Arc<dyn Clients>,
    /// The audit log.
    pub audit_trail: Arc<dyn AuditTrail>,
    /// What must still happen.
    pub outbox: Arc<dyn Outbox>,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Embedded(Arc<EmbeddedStore>),
    Postgres(Arc<PostgresStore>),
}

impl Stores {
    /// Over the embedded store.
    pub fn embedded(store: EmbeddedStore) -> Self {
        let store = Arc::new(store);
        Self::over(store.clone(), Kind::Embedded(store))
    }

    /// Over PostgreSQL.
    pub fn postgres(store: PostgresStore) -> Self {
        let store = Arc::new(store);
        Self::over(store.clone(), Kind::Postgres(store))
    }

    /// Brings the schema to the form that this version needs. The embedded store does that when it is opened.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.kind {
            Kind::Embedded(_) => Ok(()),
            Kind::Postgres(store) => store.migrate().await,
        }
    }

    /// How long the store takes to answer now.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        match &self.kind {
            Kind::Embedded(store) => store.ping().await,
            Kind::Postgres(store) => store.ping().await,
        }
    }

    /// How busy the store's connections are.
    pub fn pool_state(&self) -> PoolState {
        match &self.kind {
            Kind::Embedded(store) => store.pool_state(),
            Kind::Postgres(store) => store.pool_state(),
        }
    }

    /// Finishes what is under way and closes the store. Whatever is asked afterwards is refused.
    pub async fn close(&self) {
        match &self.kind {
            Kind::Embedded(store) => store.close().await,
            Kind::Postgres(store) => store.close().await,
        }
    }

    fn over<S>(store: Arc<S>, kind: Kind) -> Self
    where
        S: Organizations + Agents + Credentials + Clients + AuditTrail + Outbox + 'static,
    {
        Self {
            organizations: store.clone(),
            agents: store.clone(),
            credentials: store.clone(),
            clients: store.clone(),
            audit_trail: store.clone(),
            outbox: store,
            kind,
        }
    }
}
