//! The signing keys that are in force: an immutable ring, exchanged as a whole when the replicated keys change.
//!
//! Whoever takes the ring gets the one that the replicated state describes *now*: that a key has left is true on this node
//! from the moment at which the change is applied, and not a moment later.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use cluster::{ClusterError, ClusterHandle, OpenedKey, OpenedRing};
use domain::{KeyState, Revision};
use http::HeaderValue;
use protocol::jose::{JoseError, KeyRing, KeyUse, RingKey};

/// A ring and its public half as it is served.
pub struct Ring {
    /// Signs and verifies; takes no lock.
    pub ring: KeyRing,
    /// The JWK Set (RFC 7517 §5).
    pub jwks: Bytes,
    /// How long verifiers may keep it, as `Cache-Control` says it.
    pub cache_control: HeaderValue,
    /// No token may live longer.
    pub token_lifetime_max: Duration,
    /// The revision of the replicated state that it stems from; another ring has another.
    pub changed_at: Revision,
}

/// Why there is no ring.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The replicated state has no keys.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A key is not what it says it is.
    #[error("a signing key can't be used: {0}")]
    Jose(#[from] JoseError),
}

/// Hands out the ring that is in force.
pub struct Keys {
    ring: ArcSwap<Ring>,
    cluster: ClusterHandle,
    /// Held by whoever makes the next ring, so that not everybody does.
    renewing: Mutex<()>,
}

impl Keys {
    /// Starts with the ring that the replicated state describes.
    pub fn new(cluster: ClusterHandle) -> Result<Self, RingError> {
        let ring = Ring::of(&cluster.signing_keys()?)?;
        Ok(Self {
            ring: ArcSwap::from_pointee(ring),
            cluster,
            renewing: Mutex::new(()),
        })
    }

    /// The ring that is in force now. Hold it for one request, not longer.
    pub fn current(&self) -> Arc<Ring> {
        let ring = self.ring.load_full();
        if ring.changed_at == self.cluster.keys_changed_at() {
            ring
        } else {
            self.renew()
        }
    }

    fn renew(&self) -> Arc<Ring> {
        let _one_at_a_time = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = self.ring.load_full();
        let opened = match self.cluster.signing_keys() {
            Ok(opened) if opened.changed_at != ring.changed_at => opened,
            // Somebody else has done it meanwhile.
            Ok(_) => return ring,
            Err(error) => {
                tracing::error!(%error, "the signing keys can't be read; the former ones stay in force");
                return ring;
            }
        };
        let next = Ring::of(&opened).unwrap_or_else(|error| {
            tracing::error!(%error, "the changed signing keys can't be used; this node signs and verifies nothing");
            Ring::without_keys(&opened)
        });
        let next = Arc::new(next);
        self.ring.store(next.clone());
        next
    }
}

impl Ring {
    fn of(opened: &OpenedRing) -> Result<Self, JoseError> {
        let keys: Vec<RingKey<'_>> = opened.keys.iter().map(ring_key).collect();
        Ok(Self::with(KeyRing::new(&keys)?, opened))
    }

    fn without_keys(opened: &OpenedRing) -> Self {
        let empty = KeyRing::new(&[]).expect("a ring without keys has none that could be wrong");
        Self::with(empty, opened)
    }

    fn with(ring: KeyRing, opened: &OpenedRing) -> Self {
        let cache_control = format!("public, max-age={}", opened.terms.jwks_max_age.as_secs());
        Self {
            jwks: Bytes::copy_from_slice(ring.jwks().as_bytes()),
            cache_control: HeaderValue::try_from(cache_control).expect("digits are visible characters"),
            token_lifetime_max: opened.terms.token_lifetime_max,
            changed_at: opened.changed_at,
            ring,
        }
    }
}

fn ring_key(key: &OpenedKey) -> RingKey<'_> {
    let pkcs8 = match &key.pkcs8 {
        Ok(pkcs8) => pkcs8.as_ref().map(|bytes| bytes.as_slice()),
        Err(error) => {
            tracing::error!(%error, "this node can't sign with a key, and only verifies what others sign");
            None
        }
    };
    let key_use = match key.state {
        KeyState::Current if pkcs8.is_some() => KeyUse::Current,
        KeyState::Published => KeyUse::Next,
        KeyState::Current | KeyState::Retired => KeyUse::Retired,
    };
    RingKey {
        key_id: &key.key_id,
        algorithm: key.algorithm,
        key_use,
        public_jwk: &key.public_jwk,
        pkcs8,
    }
}
