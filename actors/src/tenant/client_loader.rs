//! Finds clients: in the cache, or in the store with one look-up at a time for each client, however many ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::AgentId;
use domain::ports::{Clients, Clock, ReplicationError, RevocationView, StoreError};
use tokio::sync::watch;

use super::client_cache::{ClientCache, Known, WarmClient};
use crate::error::AuthorizeError;
use crate::lock::lock;
use crate::seeded::SeededState;
use crate::settings::TenantSettings;
use crate::supervision::NoAnswer;

/// How often a client is read again that is changed while it is read.
const TRIES: usize = 4;

/// What the loader needs.
pub(crate) struct LoaderParts {
    pub cache: Arc<ClientCache>,
    pub clients: Arc<dyn Clients>,
    pub revocations: Arc<dyn RevocationView>,
    pub clock: Arc<dyn Clock>,
    pub settings: TenantSettings,
}

/// Why a look-up failed, for all who wait for it.
#[derive(Clone)]
enum LoadFailure {
    Replication(ReplicationError),
    Unavailable(String),
    Broken(String),
}

type Loaded = Result<Option<Arc<WarmClient>>, LoadFailure>;
type Running = HashMap<AgentId, watch::Receiver<Option<Loaded>>, SeededState>;

/// A client that was asked for.
pub(crate) struct Found {
    /// All that is needed of it; `None` if it does not exist.
    pub client: Option<Arc<WarmClient>>,
    /// Whether the store was asked just now.
    is_fresh: bool,
}

/// Finds clients.
pub(crate) struct ClientLoader {
    parts: LoaderParts,
    running: Mutex<Running>,
}

impl ClientLoader {
    pub fn new(parts: LoaderParts, hash: SeededState) -> Arc<Self> {
        Arc::new(Self {
            parts,
            running: Mutex::new(HashMap::with_hasher(hash)),
        })
    }

    /// The client, with no change missing that this node knows of.
    pub async fn find(self: &Arc<Self>, client: AgentId) -> Result<Found, AuthorizeError> {
        match self.parts.cache.look_up(client, self.parts.clock.monotonic()) {
            Known::Warm(warm) if self.is_current(&warm) => {
                return Ok(Found {
                    client: Some(warm),
                    is_fresh: false,
                });
            }
            Known::Unknown => {
                return Ok(Found {
                    client: None,
                    is_fresh: false,
                });
            }
            Known::Warm(_) | Known::Nothing => {}
        }
        for _ in 0..TRIES {
            match self.load(client).await? {
                Some(warm) if !self.is_current(&warm) => {}
                client => return Ok(Found { client, is_fresh: true }),
            }
        }
        Err(NoAnswer::Late.into())
    }

    /// To be called before the answer to a client that did not prove who it is. One that does not exist is looked up again
    /// once in a while; one that exists and is warm must be too, or the time that the answer takes would tell which is which.
    pub async fn on_failure(self: &Arc<Self>, found: &Found) -> Result<(), AuthorizeError> {
        let Some(warm) = &found.client else { return Ok(()) };
        let (client, parts) = (warm.record.agent.agent_id, &self.parts);
        if !found.is_fresh {
            if parts.cache.has_failed(client, parts.clock.monotonic()) {
                return Ok(());
            }
            self.load(client).await?;
        }
        parts.cache.put_failed(client, parts.clock.monotonic());
        Ok(())
    }

    fn is_current(&self, warm: &WarmClient) -> bool {
        let record = &warm.record;
        !self
            .parts
            .revocations
            .is_outdated(record.organization.organization_id, record.agent.agent_id, warm.read_at)
    }

    /// Waits for the look-up of this client that is under way, or for a new one.
    async fn load(self: &Arc<Self>, client: AgentId) -> Result<Option<Arc<WarmClient>>, AuthorizeError> {
        let mut loaded = self.join(client)?;
        let waiting = loaded.wait_for(Option::is_some);
        let found = match tokio::time::timeout(self.parts.settings.load_deadline, waiting).await {
            Err(_) => return Err(NoAnswer::Late.into()),
            Ok(Err(_)) => return Err(NoAnswer::Died.into()),
            Ok(Ok(found)) => found.clone(),
        };
        match found.expect("waited for") {
            Ok(found) => Ok(found),
            Err(LoadFailure::Replication(error)) => Err(error.into()),
            Err(LoadFailure::Unavailable(reason)) => Err(StoreError::Unavailable(reason).into()),
            Err(LoadFailure::Broken(reason)) => Err(StoreError::Corrupt(reason).into()),
        }
    }

    fn join(self: &Arc<Self>, client: AgentId) -> Result<watch::Receiver<Option<Loaded>>, NoAnswer> {
        let mut running = lock(&self.running);
        if let Some(loaded) = running.get(&client) {
            return Ok(loaded.clone());
        }
        if running.len() >= self.parts.settings.loads_max {
            return Err(NoAnswer::Overloaded);
        }
        let (tell, loaded) = watch::channel(None);
        running.insert(client, loaded.clone());
        // In a task of its own, so that the look-up goes on for the others when whoever began it goes away.
        let entry = RunningEntry(self.clone(), client);
        tokio::spawn(async move {
            let found = entry.0.read(client).await;
            drop(entry);
            tell.send_replace(Some(found));
        });
        Ok(loaded)
    }

    /// Reads the client. The revision is taken first: whatever changes from then on makes the record outdated.
    async fn read(&self, client: AgentId) -> Loaded {
        let (cache, clock) = (&self.parts.cache, &self.parts.clock);
        let read_at = self.parts.revocations.revision().map_err(LoadFailure::Replication)?;
        let registrations = cache.registrations();
        let record = self.parts.clients.load(client).await.map_err(|error| match error {
            StoreError::Unavailable(reason) => LoadFailure::Unavailable(reason),
            other => LoadFailure::Broken(other.to_string()),
        })?;
        let Some(record) = record else {
            cache.put_unknown(client, clock.monotonic(), registrations);
            return Ok(None);
        };
        let warm = Arc::new(WarmClient::new(record, read_at));
        if self.is_current(&warm) {
            cache.put(warm.clone());
        }
        Ok(Some(warm))
    }
}

/// Takes a look-up out of the list when it ends, also when it panics.
struct RunningEntry(Arc<ClientLoader>, AgentId);

impl Drop for RunningEntry {
    fn drop(&mut self) {
        lock(&self.0.running).remove(&self.1);
    }
}
