//! The port through which the key-rotation schedule and operators look at signing keys and change them.

use async_trait::async_trait;
use domain::ports::{KeyStepError, ReplicationError, SigningKeys};
use domain::{
    Applied, KeyOrder, KeyRecord, KeyRingView, KeyStep, NewSigningKey, NodeId, Ownership, Resealing, Urgency,
};

use super::ClusterHandle;
use crate::batching::Done;
use crate::command::{Command, Refusal, SealedKey};
use crate::key_command::{Authority, KEY_SCHEDULE, KeyChange, KeyCommand};
use crate::sealing::SealingError;
use crate::state::State;

impl From<SealingError> for KeyStepError {
    fn from(error: SealingError) -> Self {
        KeyStepError::Sealing(error.to_string())
    }
}

#[async_trait]
impl SigningKeys for ClusterHandle {
    fn view(&self) -> Option<KeyRingView> {
        let state = self.0.published.load();
        state.identity()?;
        Some(KeyRingView {
            keys: records(&state),
            terms: state.keys().terms(),
            ownership: self.ownership(&state),
            sealing: self.sealing_progress(&state),
            unrecorded: state.key_events().cloned().collect(),
        })
    }

    async fn take(&self, epoch: u64, step: KeyStep) -> Result<(), KeyStepError> {
        let change = match step {
            KeyStep::Terms(terms) => KeyChange::Terms(terms),
            KeyStep::Publish(key) => KeyChange::Publish(self.seal_new(&key)?),
            KeyStep::MakeCurrent(key_id) => KeyChange::MakeCurrent(key_id),
            KeyStep::Remove(key_id) => KeyChange::Remove(key_id),
            KeyStep::Recorded(revision) => KeyChange::Recorded(revision),
        };
        let done = self.change_keys(vec![self.key_command(Authority::Schedule { epoch }, change)]);
        done.await.map(drop)
    }

    async fn carry_out(&self, order: KeyOrder) -> Result<Applied, KeyStepError> {
        let sealed: Result<Vec<SealedKey>, KeyStepError> = order.keys.iter().map(|key| self.seal_new(key)).collect();
        let changes = match order.urgency {
            Urgency::Ahead => sealed?.into_iter().map(KeyChange::Publish).collect(),
            Urgency::Emergency => vec![KeyChange::Replace(sealed?)],
        };
        let authority = Authority::Operator {
            from: order.ordered_from,
        };
        let commands = changes
            .into_iter()
            .map(|change| self.key_command(authority.clone(), change));
        self.change_keys(commands.collect()).await
    }

    async fn reseal(&self, epoch: u64) -> Result<Resealing, KeyStepError> {
        let lacking = self.members_without(self.0.master_keys.current()).await;
        if !lacking.is_empty() {
            return Ok(Resealing::Waiting(lacking));
        }
        let items = self.sealed_anew()?;
        let count = items.len();
        if count > 0 {
            let change = KeyChange::Reseal(items);
            let command = self.key_command(Authority::Schedule { epoch }, change);
            self.change_keys(vec![command]).await?;
        }
        Ok(Resealing::Done(count))
    }
}

fn records(state: &State) -> Vec<KeyRecord> {
    let ring = state.keys();
    ring.iter()
        .map(|(key_id, key)| KeyRecord {
            key_id: key_id.clone(),
            algorithm: key.algorithm,
            state: key.state,
            published_at: key.published_at,
            current_since: key.current_since,
            retired_at: key.retired_at,
            may_sign_from: ring.may_sign_from(key),
            may_leave_from: ring.may_leave_from(key),
        })
        .collect()
}

impl ClusterHandle {
    /// The members that things are placed on, as far as this node knows.
    #[cfg(test)]
    pub(crate) fn placed_on(&self) -> Vec<u64> {
        self.0.published.load().placement().members().to_vec()
    }

    fn ownership(&self, state: &State) -> Ownership {
        let owner = state.placement().owner(KEY_SCHEDULE);
        Ownership {
            owner: owner.map(NodeId),
            epoch: state.placement().epoch(),
            is_here: owner == Some(self.node_id()),
        }
    }

    /// A new key is sealed with the master key that everything is sealed with, which every node holds; the one that this
    /// node would rather have may not have reached the others yet.
    fn seal_new(&self, key: &NewSigningKey) -> Result<SealedKey, KeyStepError> {
        let state = self.0.published.load();
        let unavailable = || ReplicationError::Unavailable("the installation has no keys yet".to_owned());
        let identity = state.identity().ok_or_else(unavailable)?;
        Ok(self.seal_key(identity.cluster_id, identity.digest_key.master_key(), key)?)
    }

    fn key_command(&self, authority: Authority, change: KeyChange) -> Command {
        Command::Keys(KeyCommand {
            node_id: self.node_id(),
            authority,
            at: self.0.steady_clock.now(),
            change,
        })
    }

    /// Proposes changes in one entry; the revision has all that were taken. Refused only if none was: an operator who
    /// wants a key of each algorithm gets those that can be had.
    async fn change_keys(&self, commands: Vec<Command>) -> Result<Applied, KeyStepError> {
        let Done { results, unconfirmed } = self.0.proposer.propose(commands).await?;
        let refusals: Vec<Refusal> = results.iter().filter_map(|result| result.refusal).collect();
        if let Some(refusal) = refusals.first().filter(|_| refusals.len() == results.len()) {
            return Err(KeyStepError::Refused(refusal.to_string()));
        }
        let revisions = results.iter().map(|result| result.revision);
        let revision = revisions.max().unwrap_or_default();
        Ok(Applied { revision, unconfirmed })
    }
}
