//! Keys through the handle: sealed before they leave the caller's process, opened where they are used.

use domain::{KeyId, NewSigningKey, Revision};
use tokio::sync::watch;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ClusterHandle;
use crate::bootstrap::Bootstrap;
use crate::command::{BootstrapCommand, Command, Refusal, SealedKey};
use crate::error::ClusterError;
use crate::key_command::{Authority, KeyChange, KeyCommand};
use crate::keys::{OpenedKey, OpenedRing};
use crate::sealing::{MasterKeyId, Sealed, SealingError};
use crate::state::{Identity, StoredKey, digest_key_context};

impl ClusterHandle {
    /// Gives the installation its identity and first keys, sealed before they leave this call. Changes nothing if it
    /// has them already.
    pub async fn bootstrap(&self, bootstrap: Bootstrap) -> Result<(), ClusterError> {
        let (cluster_id, master_key) = (self.new_uuid(), self.0.master_keys.current());
        let keys: Result<Vec<SealedKey>, SealingError> = bootstrap
            .keys
            .iter()
            .map(|key| self.seal_key(cluster_id, master_key, key))
            .collect();
        let digest_key = self.0.master_keys.seal(
            &digest_key_context(cluster_id),
            bootstrap.digest_key.as_slice(),
            self.0.entropy.as_ref(),
        );
        let at = self.0.steady_clock.now();
        let first = Command::Bootstrap(BootstrapCommand {
            cluster_id,
            keys: keys?,
            digest_key,
            at,
        });
        let terms = Command::Keys(KeyCommand {
            node_id: self.node_id(),
            authority: Authority::Founder,
            at,
            change: KeyChange::Terms(bootstrap.terms),
        });
        let done = self.0.proposer.propose(vec![first, terms]).await?;
        match done.results.iter().find_map(|result| result.refusal) {
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

    /// All signing keys, those opened that the master keys of this node open.
    pub fn signing_keys(&self) -> Result<OpenedRing, ClusterError> {
        let state = self.0.published.load();
        let identity = state.identity().ok_or(ClusterError::NotBootstrapped)?;
        let keys = state.keys().iter();
        Ok(OpenedRing {
            keys: keys.map(|(key_id, key)| self.open_key(identity, key_id, key)).collect(),
            terms: state.keys().terms(),
            changed_at: state.keys().changed_at(),
        })
    }

    /// The revision at which keys were last added, moved on or removed, or promises about them changed.
    pub fn keys_changed_at(&self) -> Revision {
        self.0.published.load().keys().changed_at()
    }

    /// Fails if something in the replicated state is sealed with a master key that this node does not hold.
    pub fn check_master_keys(&self) -> Result<(), ClusterError> {
        self.digest_key()?;
        for key in self.signing_keys()?.keys {
            key.pkcs8?;
        }
        Ok(())
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

    pub(super) fn seal_key(
        &self,
        cluster_id: Uuid,
        master_key: MasterKeyId,
        key: &NewSigningKey,
    ) -> Result<SealedKey, SealingError> {
        let context = signing_key_context(cluster_id, &key.key_id);
        let entropy = self.0.entropy.as_ref();
        Ok(SealedKey {
            key_id: key.key_id.clone(),
            algorithm: key.algorithm,
            public_jwk: key.public_jwk.clone(),
            sealed: self
                .0
                .master_keys
                .seal_with(master_key, &context, &key.pkcs8, entropy)?,
        })
    }

    fn open_key(&self, identity: &Identity, key_id: &KeyId, key: &StoredKey) -> OpenedKey {
        let context = signing_key_context(identity.cluster_id, key_id);
        let open = |sealed: &Sealed| self.0.master_keys.open(&context, sealed);
        OpenedKey {
            key_id: key_id.clone(),
            algorithm: key.algorithm,
            state: key.state,
            public_jwk: key.public_jwk.clone(),
            pkcs8: key.sealed.as_ref().map(open).transpose(),
        }
    }

    pub(super) fn node_id(&self) -> u64 {
        *self.0.leader.raft().node_id()
    }

    fn new_uuid(&self) -> Uuid {
        let mut random = [0u8; 16];
        self.0.entropy.fill(&mut random);
        uuid::Builder::from_random_bytes(random).into_uuid()
    }
}

pub(super) fn signing_key_context(cluster_id: Uuid, key_id: &KeyId) -> String {
    format!("signing key {key_id} of installation {cluster_id}")
}
