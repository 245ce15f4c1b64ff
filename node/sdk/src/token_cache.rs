//! Tokens that are still good, and one refresh at a time.
//!
//! A token is renewed when four fifths of its lifetime are over, by whichever call comes first; the others go on with the
//! old one meanwhile. When there is no good token, callers wait for the one that is fetching it and share what it gets,
//! be it an error.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::Error;
use crate::secret::Secret;

/// The most sets of scopes for which tokens are kept.
const SLOTS_MAX: usize = 32;
/// Longer lifetimes are treated as this.
const LIFETIME_MAX: Duration = Duration::from_secs(86_400);
/// How long nobody tries to renew after an attempt failed while the token is still good.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

/// A token and until when it serves, on the client's own clock.
pub(crate) struct CachedToken {
    pub secret: Secret,
    renew_at: Duration,
    dead_at: Duration,
}

impl CachedToken {
    /// A token that was asked for at `asked_at` and lives for `lifetime`; what the answer took on its way is counted as
    /// lived already.
    pub fn new(secret: Secret, asked_at: Duration, lifetime: Duration) -> Self {
        let lifetime = lifetime.min(LIFETIME_MAX);
        Self {
            secret,
            renew_at: asked_at + lifetime / 5 * 4,
            dead_at: asked_at + lifetime / 20 * 19,
        }
    }
}

/// One token for each set of scopes.
#[derive(Default)]
pub(crate) struct TokenCache {
    slots: Mutex<BTreeMap<String, Arc<TokenSlot>>>,
}

impl TokenCache {
    pub fn slot(&self, scope: &str) -> Arc<TokenSlot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if !slots.contains_key(scope) && slots.len() >= SLOTS_MAX {
            slots.pop_first();
        }
        slots.entry(scope.to_owned()).or_default().clone()
    }
}

/// A token for one set of scopes.
#[derive(Default)]
pub(crate) struct TokenSlot {
    current: RwLock<Option<Arc<CachedToken>>>,
    /// Held by the one who fetches.
    flight: tokio::sync::Mutex<LastFlight>,
    /// How many flights have ended.
    landed: AtomicU64,
}

#[derive(Default)]
struct LastFlight {
    failure: Option<Error>,
    no_renewal_before: Duration,
}

impl TokenSlot {
    /// A token that is good now; `fetch` is called if one is needed and nobody else is fetching.
    pub async fn get<F, R>(&self, clock: &dyn Clock, fetch: F) -> Result<Arc<CachedToken>, Error>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<CachedToken, Error>>,
    {
        match self.good_at(clock.monotonic()) {
            Some(token) if clock.monotonic() < token.renew_at => Ok(token),
            Some(token) => self.renew(token, clock, fetch).await,
            None => self.wait_or_fetch(clock, fetch).await,
        }
    }

    /// Forgets a token that a server refused, unless it has been replaced already.
    pub fn forget(&self, refused: &Arc<CachedToken>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|token| Arc::ptr_eq(token, refused)) {
            *current = None;
        }
    }

    async fn renew<F, R>(&self, old: Arc<CachedToken>, clock: &dyn Clock, fetch: F) -> Result<Arc<CachedToken>, Error>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<CachedToken, Error>>,
    {
        let Ok(mut flight) = self.flight.try_lock() else {
            return Ok(old);
        };
        if clock.monotonic() < flight.no_renewal_before {
            return Ok(old);
        }
        match self.fly(&mut flight, clock, fetch).await {
            Err(error) if error.is_transient() => Ok(old),
            result => result,
        }
    }

    async fn wait_or_fetch<F, R>(&self, clock: &dyn Clock, fetch: F) -> Result<Arc<CachedToken>, Error>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<CachedToken, Error>>,
    {
        let landed_before = self.landed.load(Ordering::Acquire);
        let mut flight = self.flight.lock().await;
        if let Some(token) = self.good_at(clock.monotonic()) {
            return Ok(token);
        }
        match &flight.failure {
            // It failed while we waited for it, so it failed for us too.
            Some(failure) if self.landed.load(Ordering::Acquire) > landed_before => Err(failure.clone()),
            _ => self.fly(&mut flight, clock, fetch).await,
        }
    }

    async fn fly<F, R>(&self, flight: &mut LastFlight, clock: &dyn Clock, fetch: F) -> Result<Arc<CachedToken>, Error>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<CachedToken, Error>>,
    {
        let result = fetch().await.map(Arc::new);
        flight.failure = result.as_ref().err().cloned();
        match &result {
            Ok(token) => *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone()),
            Err(_) => flight.no_renewal_before = clock.monotonic() + RENEWAL_PAUSE,
        }
        self.landed.fetch_add(1, Ordering::Release);
        result
    }

    fn good_at(&self, now: Duration) -> Option<Arc<CachedToken>> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .filter(|token| now < token.dead_at)
    }
}
