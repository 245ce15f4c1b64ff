//! From one master key to the next: everything secret in the replicated state is put into new envelopes, once every member
//! holds the master key that opens them. Until then new secrets, too, are sealed with the former one.

use std::time::Duration;

use domain::ports::KeyStepError;
use domain::{NodeId, SealingProgress};
use futures::future::join_all;

use super::ClusterHandle;
use super::keys::signing_key_context;
use crate::key_command::{Resealed, SealedPlace};
use crate::members::MemberEntry;
use crate::network::{Peer, PeerAnswer, PeerRequest};
use crate::sealing::{MasterKeyId, Sealed};
use crate::state::{State, digest_key_context};

/// How long a member may take to say which master keys it holds.
const ANSWER_DEADLINE: Duration = Duration::from_secs(1);

impl ClusterHandle {
    /// How many secrets are sealed with which master key.
    pub(super) fn sealing_progress(&self, state: &State) -> SealingProgress {
        let wanted = self.0.master_keys.current();
        let (current, former): (Vec<_>, Vec<_>) =
            envelopes(state).partition(|(_, sealed)| sealed.master_key() == wanted);
        SealingProgress {
            current: current.len(),
            former: former.len(),
        }
    }

    /// The master key that this node wants everything to be sealed with.
    pub fn master_key(&self) -> MasterKeyId {
        self.0.master_keys.current()
    }

    /// The members, learners too, that do not hold a master key or do not say so.
    pub(super) async fn members_without(&self, master_key: MasterKeyId) -> Vec<NodeId> {
        let me = self.node_id();
        let others = self.members().into_iter().filter(|member| member.node_id != me);
        let asked = others.map(|member| self.lacks(member, master_key));
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn lacks(&self, member: MemberEntry, master_key: MasterKeyId) -> Option<NodeId> {
        let peer = Peer {
            node_id: member.node_id,
            address: member.address,
        };
        let asked = self
            .0
            .leader
            .peers()
            .ask(&peer, &PeerRequest::MasterKeys, ANSWER_DEADLINE);
        match asked.await {
            Ok(PeerAnswer::MasterKeys(held)) if held.contains(&master_key) => None,
            _ => Some(NodeId(peer.node_id)),
        }
    }

    /// Every secret that is sealed with another master key, in a new envelope.
    pub(super) fn sealed_anew(&self) -> Result<Vec<Resealed>, KeyStepError> {
        let state = self.0.published.load();
        let Some(identity) = state.identity() else {
            return Ok(Vec::new());
        };
        let (keys, wanted) = (&self.0.master_keys, self.0.master_keys.current());
        envelopes(&state)
            .filter(|(_, sealed)| sealed.master_key() != wanted)
            .map(|(place, sealed)| {
                let context = match &place {
                    SealedPlace::DigestKey => digest_key_context(identity.cluster_id),
                    SealedPlace::SigningKey(key_id) => signing_key_context(identity.cluster_id, key_id),
                };
                let secret = keys.open(&context, sealed)?;
                let sealed = keys.seal(&context, &secret, self.0.entropy.as_ref());
                Ok(Resealed { place, sealed })
            })
            .collect()
    }
}

/// Every secret of the replicated state.
fn envelopes(state: &State) -> impl Iterator<Item = (SealedPlace, &Sealed)> {
    let digest_key = state
        .identity()
        .map(|identity| (SealedPlace::DigestKey, &identity.digest_key));
    let keys = state.keys().iter().filter_map(|(key_id, key)| {
        let sealed = key.sealed.as_ref()?;
        Some((SealedPlace::SigningKey(key_id.clone()), sealed))
    });
    digest_key.into_iter().chain(keys)
}
