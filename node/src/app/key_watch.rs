//! Puts signing keys in force as the replicated state changes them.

use std::sync::Arc;

use cluster::{ClusterHandle, KeyState, OpenedKey};
use protocol::jose::{KeyRing, KeyUse, RingKey};

use super::error::StartError;
use crate::http::keys::Keys;

/// The ring that the replicated state describes now.
pub fn ring_of(cluster: &ClusterHandle) -> Result<KeyRing, StartError> {
    let keys = cluster.signing_keys()?;
    let ring: Vec<RingKey<'_>> = keys.iter().map(ring_key).collect();
    Ok(KeyRing::new(&ring)?)
}

fn ring_key(key: &OpenedKey) -> RingKey<'_> {
    let key_use = match key.state {
        KeyState::Published => KeyUse::Next,
        KeyState::Current => KeyUse::Current,
        KeyState::Retired => KeyUse::Retired,
    };
    let pkcs8 = key.pkcs8.as_ref().map(|bytes| bytes.as_slice());
    RingKey {
        key_id: &key.key_id,
        algorithm: key.algorithm,
        key_use,
        public_jwk: &key.public_jwk,
        pkcs8,
    }
}

/// Exchanges the ring whenever the keys change; runs until the replicated state is closed.
pub async fn follow(cluster: ClusterHandle, keys: Arc<Keys>) {
    let mut changes = cluster.keys_changed();
    while changes.changed().await.is_ok() {
        match ring_of(&cluster) {
            Ok(ring) => keys.replace(ring),
            Err(error) => {
                tracing::error!(%error, "the changed signing keys can't be used; the former ones stay in force")
            }
        }
    }
}
