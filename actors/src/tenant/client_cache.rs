//! Clients that were looked up lately: warm ones with all that a decision needs, and ids that are known to be unknown.
//! Both are bounded, shared by all organizations of the node, and outlive their actors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::{AgentId, ClientRecord, CredentialId, Revision, StoredCredential};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, UnitWeighter};

use super::use_marks::UseMarks;
use crate::seeded::SeededState;
use crate::settings::TenantSettings;

/// A client with the revision that the replicated state had before it was read.
#[derive(Debug)]
pub(crate) struct WarmClient {
    pub record: ClientRecord,
    pub read_at: Revision,
    used: UseMarks,
}

impl WarmClient {
    /// A client that was read just now.
    pub fn new(record: ClientRecord, read_at: Revision) -> Self {
        let used = UseMarks::new(record.credentials.len());
        Self { record, read_at, used }
    }

    /// Whether the organization is to be told at `now` (monotonic) that a credential is used: once in a while is enough.
    pub fn is_use_news(&self, credential: CredentialId, now: Duration, once_in: Duration) -> bool {
        let is_used = |stored: &StoredCredential| stored.credential.credential_id == credential;
        match self.record.credentials.iter().position(is_used) {
            Some(index) => self.used.is_due(index, now, once_in),
            None => false,
        }
    }
}

/// What is known of a client without asking the store.
pub(crate) enum Known {
    /// All that is needed, as long as it is not outdated.
    Warm(Arc<WarmClient>),
    /// That there was no such client a moment ago.
    Unknown,
    /// Nothing.
    Nothing,
}

type Bounded<V> = Cache<AgentId, V, UnitWeighter, SeededState>;

/// Clients that were looked up lately.
pub(crate) struct ClientCache {
    warm: Bounded<Arc<WarmClient>>,
    /// Until when, on the monotonic clock.
    unknown: Bounded<Duration>,
    unknown_for: Duration,
    /// Clients that did not prove who they are, and until when that is remembered: as long as an unknown one is.
    failed: Bounded<Duration>,
    /// Counts registrations, so that a look-up that began before one does not bring back that its client is unknown.
    registrations: AtomicU64,
}

fn bounded<V: Clone>(capacity: usize, hash: SeededState) -> Bounded<V> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(capacity)
        .weight_capacity(u64::try_from(capacity).unwrap_or(u64::MAX))
        .build()
        .expect("both capacities are given");
    Cache::with_options(options, UnitWeighter, hash, DefaultLifecycle::default())
}

impl ClientCache {
    /// An empty cache.
    pub fn new(settings: &TenantSettings, hash: SeededState) -> Self {
        Self {
            warm: bounded(settings.clients_max, hash.clone()),
            unknown: bounded(settings.unknown_max, hash.clone()),
            failed: bounded(settings.unknown_max, hash),
            unknown_for: settings.unknown_for,
            registrations: AtomicU64::new(0),
        }
    }

    /// What is known of this client at `now` (monotonic).
    pub fn look_up(&self, client: AgentId, now: Duration) -> Known {
        if let Some(warm) = self.warm.get(&client) {
            return Known::Warm(warm);
        }
        match self.unknown.get(&client) {
            Some(until) if now < until => Known::Unknown,
            _ => Known::Nothing,
        }
    }

    /// How many registrations there were; to be asked before the store is.
    pub fn registrations(&self) -> u64 {
        self.registrations.load(Ordering::Acquire)
    }

    /// The store knows this client. Whatever was read later than that stays.
    pub fn put(&self, warm: Arc<WarmClient>) {
        let client = warm.record.agent.agent_id;
        let is_older = |present: Arc<WarmClient>| warm.read_at < present.read_at;
        if !self.warm.peek(&client).is_some_and(is_older) {
            self.warm.insert(client, warm);
        }
    }

    /// The store does not know this client; it was asked when there had been so many registrations.
    pub fn put_unknown(&self, client: AgentId, now: Duration, registrations: u64) {
        if self.registrations() == registrations {
            self.unknown.insert(client, now + self.unknown_for);
        }
    }

    /// A client that exists did not prove who it is at `now` (monotonic).
    pub fn put_failed(&self, client: AgentId, now: Duration) {
        self.failed.insert(client, now + self.unknown_for);
    }

    /// Whether a client did not prove who it is a moment before `now` (monotonic).
    pub fn has_failed(&self, client: AgentId, now: Duration) -> bool {
        self.failed.get(&client).is_some_and(|until| now < until)
    }

    /// What is known of this client is no longer true.
    pub fn forget(&self, client: AgentId) {
        self.warm.remove(&client);
    }

    /// This client exists from now on.
    pub fn on_registered(&self, client: AgentId) {
        self.registrations.fetch_add(1, Ordering::AcqRel);
        self.unknown.remove(&client);
    }
}

#[cfg(test)]
mod tests {
    use domain::{OrganizationId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::tenant::state::tests::client_record;

    struct Zeros;
    impl domain::ports::Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn cache(max: usize) -> ClientCache {
        let settings = TenantSettings {
            clients_max: max,
            unknown_max: max,
            ..TenantSettings::default()
        };
        ClientCache::new(&settings, SeededState::new(&Zeros))
    }

    fn client(number: u128) -> AgentId {
        AgentId(Uuid::from_u128(number))
    }

    fn warm(number: u128, read_at: u64) -> Arc<WarmClient> {
        let mut record = client_record(OrganizationId(Uuid::from_u128(1)), Timestamp::EPOCH);
        record.agent.agent_id = client(number);
        Arc::new(WarmClient::new(record, Revision(read_at)))
    }

    fn read_at(cache: &ClientCache, number: u128) -> Option<u64> {
        match cache.look_up(client(number), Duration::ZERO) {
            Known::Warm(warm) => Some(warm.read_at.0),
            Known::Unknown | Known::Nothing => None,
        }
    }

    #[test]
    fn what_was_read_earlier_does_not_replace_what_was_read_later() {
        let cache = cache(10);
        cache.put(warm(1, 5));
        cache.put(warm(1, 4));
        assert_eq!(read_at(&cache, 1), Some(5));
        cache.put(warm(1, 6));
        assert_eq!(read_at(&cache, 1), Some(6));
        cache.forget(client(1));
        assert_eq!(read_at(&cache, 1), None);
    }

    #[test]
    fn both_halves_are_bounded() {
        let cache = cache(16);
        for number in 0..1000 {
            cache.put(warm(number, 1));
            cache.put_unknown(client(5000 + number), Duration::ZERO, 0);
        }
        assert!(cache.warm.len() <= 16 && cache.unknown.len() <= 16);
    }

    #[test]
    fn an_unknown_id_is_remembered_for_a_while_only() {
        let cache = cache(10);
        cache.put_unknown(client(1), Duration::from_secs(100), cache.registrations());
        assert!(matches!(
            cache.look_up(client(1), Duration::from_millis(102_999)),
            Known::Unknown
        ));
        assert!(matches!(
            cache.look_up(client(1), Duration::from_secs(103)),
            Known::Nothing
        ));
    }

    #[test]
    fn a_look_up_that_began_before_a_registration_does_not_hide_the_new_client() {
        let cache = cache(10);
        let before = cache.registrations();
        cache.put_unknown(client(1), Duration::ZERO, before);
        cache.on_registered(client(1));
        assert!(matches!(cache.look_up(client(1), Duration::ZERO), Known::Nothing));
        cache.put_unknown(client(1), Duration::ZERO, before);
        assert!(matches!(cache.look_up(client(1), Duration::ZERO), Known::Nothing));
    }
}
