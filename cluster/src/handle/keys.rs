//! Keys through the handle: sealed before they leave the caller's process, opened where they are used.

use domain::{KeyId, Revision};
use tokio::sync::watch;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ClusterHandle;
use crate::bootstrap::{Bootstrap, NewSigningKey};
use crate::command::{BootstrapCommand, Command, Refusal, SealedKey};
use crate::error::ClusterError;
use crate::keys::OpenedKey;
use crate::sealing::Sealed;
use crate::state::{Identity, StoredKey, digest_key_context};

impl ClusterHandle {
    /// Gives the installation its identity and first keys, sealed before they leave this call. Changes nothing if it
    /// has them already.
    pub async fn bootstrap(&self, bootstrap: Bootstrap) -> Result<(), ClusterError> {
        let cluster_id = self.new_uuid();
        let keys = bootstrap
            .keys
            .iter()
            .map(|key| self.seal_key(cluster_id, key))
            .collect();
        let digest_key = self.seal(&digest_key_context(cluster_id), bootstrap.digest_key.as_slice());
        let at = self.0.steady_clock.now();
        let command = Command::Bootstrap(BootstrapCommand {
            cluster_id,
            keys,
            digest_key,
            at,
        });
        match self.propose_one(command).await?.refusal {
            None | Some(Refusal::AlreadyBootstrapped) => Ok(()),
            Some(refusal) => Err(ClusterError::Refused(refusal.to_string())),
        }
    }

    /// What identifies the installation, once it has its keys.
    pub fn cluster_id(&self) -> Option<Uuid> {
        self.0.published.load().identity().map(|identity| identity.cluster_id)
    }

    /// Whether the installation has its keys.
    pub fn is_bootstrapped(&self) -> bool {
        self.0.published.load().identity().is_some()
    }

    /// All signing keys, opened with the master key.
    pub fn signing_keys(&self) -> Result<Vec<OpenedKey>, ClusterError> {
        let state = self.0.published.load();
        let identity = state.identity().ok_or(ClusterError::NotBootstrapped)?;
        state
            .keys()
            .iter()
            .map(|(key_id, key)| self.open_key(identity, key_id, key))
            .collect()
    }

    /// The key of the keyed digests under which client secrets are stored.
    pub fn digest_key(&self) -> Result<Zeroizing<[u8; 32]>, ClusterError> {
        let state = self.0.published.load();
        let identity = state.identity().ok_or(ClusterError::NotBootstrapped)?;
        let opened = self
            .0
            .master_keys
            .open(&digest_key_context(identity.cluster_id), &identity.digest_key)?;
        let mut key = Zeroizing::new([0u8; 32]);
        if opened.len() != key.len() {
            return Err(ClusterError::Refused(
                "the digest key does not have 32 bytes".to_owned(),
            ));
        }
        key.copy_from_slice(&opened);
        Ok(key)
    }

    /// Tells when signing keys were added, moved on or removed.
    pub fn keys_changed(&self) -> watch::Receiver<Revision> {
        self.0.published.keys_changed()
    }

    /// Lets verifiers learn a key that will sign later.
    pub async fn publish_signing_key(&self, key: &NewSigningKey) -> Result<Revision, ClusterError> {
        let cluster_id = self
            .0
            .published
            .load()
            .identity()
            .ok_or(ClusterError::NotBootstrapped)?
            .cluster_id;
        let (key, at) = (self.seal_key(cluster_id, key), self.0.steady_clock.now());
        self.require_done(Command::PublishKey { key, at }).await
    }

    /// Makes a published key the one that signs with its algorithm; the former one is retired.
    pub async fn make_signing_key_current(&self, key_id: &KeyId) -> Result<Revision, ClusterError> {
        let at = self.0.steady_clock.now();
        self.require_done(Command::MakeKeyCurrent {
            key_id: key_id.clone(),
            at,
        })
        .await
    }

    /// Removes a key that is not current. Tokens that it signed verify no longer.
    pub async fn remove_signing_key(&self, key_id: &KeyId) -> Result<Revision, ClusterError> {
        self.require_done(Command::RemoveKey { key_id: key_id.clone() }).await
    }

    fn seal_key(&self, cluster_id: Uuid, key: &NewSigningKey) -> SealedKey {
        SealedKey {
            key_id: key.key_id.clone(),
            algorithm: key.algorithm,
            public_jwk: key.public_jwk.clone(),
            sealed: self.seal(&signing_key_context(cluster_id, &key.key_id), &key.pkcs8),
        }
    }

    fn seal(&self, context: &str, secret: &[u8]) -> Sealed {
        self.0.master_keys.seal(context, secret, self.0.entropy.as_ref())
    }

    fn open_key(&self, identity: &Identity, key_id: &KeyId, key: &StoredKey) -> Result<OpenedKey, ClusterError> {
        let context = signing_key_context(identity.cluster_id, key_id);
        let pkcs8 = key
            .sealed
            .as_ref()
            .map(|sealed| self.0.master_keys.open(&context, sealed))
            .transpose()?;
        Ok(OpenedKey {
            key_id: key_id.clone(),
            algorithm: key.algorithm,
            state: key.state,
            public_jwk: key.public_jwk.clone(),
            pkcs8,
            published_at: key.published_at,
            current_since: key.current_since,
            retired_at: key.retired_at,
        })
    }

    fn new_uuid(&self) -> Uuid {
        let mut random = [0u8; 16];
        self.0.entropy.fill(&mut random);
        uuid::Builder::from_random_bytes(random).into_uuid()
    }
}

fn signing_key_context(cluster_id: Uuid, key_id: &KeyId) -> String {
    format!("signing key {key_id} of installation {cluster_id}")
}
