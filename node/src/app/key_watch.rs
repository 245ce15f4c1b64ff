//! Puts signing keys in force as the replicated state changes them, so that no request has to wait for it.

use std::sync::Arc;

use cluster::ClusterHandle;

use crate::http::keys::Keys;

/// Exchanges the ring whenever the keys change; runs until the replicated state is closed.
pub async fn follow(cluster: ClusterHandle, keys: Arc<Keys>) {
    let mut changes = cluster.keys_changed();
    while changes.changed().await.is_ok() {
        keys.current();
    }
}
