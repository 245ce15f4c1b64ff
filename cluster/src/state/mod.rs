//! The replicated state: what every node has in memory, and the pure function that changes it.
//!
//! Everything is kept in persistent ordered maps: a copy of the whole state costs a few pointers, whether it is for
//! readers or for a snapshot, and two replicas that applied the same commands are equal to the last byte.

mod agreement;
mod changes;
mod image;
mod invites;
mod key_changes;
mod key_events;
mod key_ring;
mod lineage;
mod revocations;
mod rotation;
mod sessions;

use domain::ports::ReplicationError;
use domain::{AgentId, KeyEvent, OrganizationId, Revision, Timestamp, TokenFacts};
use uuid::Uuid;

pub(crate) use agreement::Agreement;
pub(crate) use image::{ImagePart, Restoring};
pub(crate) use invites::{Invite, InviteDigest};
pub(crate) use key_ring::{KeyRing, StoredKey};
pub(crate) use lineage::{LINEAGE_FORMAT, Lineage};
#[cfg(test)]
pub(crate) use revocations::FORGET_MARGIN;
pub(crate) use sessions::{Seen, Session, WINDOW};

use crate::command::{Batch, BatchId, BatchResults, BootstrapCommand, Command, CommandResult, Refusal};
use crate::placement::Placement;
use crate::sealing::Sealed;
use changes::Changes;
use invites::Invites;
use key_events::KeyEvents;
use revocations::Revocations;
use sessions::Sessions;

/// How much the state may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Revocations; more are refused, since forgetting one early would bring a token back to life.
    pub(crate) revocations: usize,
    /// Changed subjects; of more, the oldest are forgotten, which makes nodes read rows anew.
    pub(crate) changes: usize,
    /// Signing keys; more are refused.
    pub(crate) keys: usize,
    /// How many things one tick forgets at most, so that no tick holds up the commands behind it.
    pub(crate) forgotten_by_tick: usize,
}

impl Limits {
    const DEFAULT: Limits = Limits {
        revocations: 20_000_000,
        changes: 100_000,
        keys: 1_000,
        forgotten_by_tick: 20_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The replicated state after `revision` commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    revision: Revision,
    now: Timestamp,
    identity: Option<Identity>,
    keys: KeyRing,
    revocations: Revocations,
    changes: Changes,
    sessions: Sessions,
    invites: Invites,
    placement: Placement,
    key_events: KeyEvents,
    agreement: Agreement,
    lineage: Lineage,
    limits: Limits,
}

/// What the digest key is sealed with.
pub(crate) fn digest_key_context(cluster_id: Uuid) -> String {
    format!("digest key of installation {cluster_id}")
}

/// What an installation got when it was bootstrapped.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Identity {
    pub(crate) cluster_id: Uuid,
    pub(crate) digest_key: Sealed,
    pub(crate) bootstrapped_at: Timestamp,
}

impl State {
    #[cfg(test)]
    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Applies a batch, unless it was applied already: a function of the state and the batch alone.
    pub(crate) fn apply_batch(&mut self, batch: &Batch) -> BatchResults {
        match self.sessions.look_up(batch.id) {
            Seen::Applied(results) => results,
            Seen::Superseded => {
                let refused = CommandResult {
                    revision: self.revision,
                    refusal: Some(Refusal::Superseded),
                };
                batch.commands.iter().map(|_| refused).collect()
            }
            Seen::Never => {
                let results: BatchResults = batch.commands.iter().map(|command| self.apply(command)).collect();
                self.sessions.applied(batch.id, results.clone());
                results
            }
        }
    }

    /// What is known of a batch.
    pub(crate) fn seen(&self, id: BatchId) -> Seen {
        self.sessions.look_up(id)
    }

    /// Whether there is room for so many revocations more.
    pub(crate) fn has_room_for(&self, revocations: usize) -> bool {
        self.revocations.len().saturating_add(revocations) <= self.limits.revocations
    }

    /// Applies one command: a function of the state and the command alone.
    pub(crate) fn apply(&mut self, command: &Command) -> CommandResult {
        self.revision = Revision(self.revision.0 + 1);
        let refusal = self.change(command).err();
        CommandResult {
            revision: self.revision,
            refusal,
        }
    }

    fn change(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Bootstrap(bootstrap) => self.bootstrap(bootstrap),
            Command::Revoke(revocation) => self
                .revocations
                .revoke(revocation, self.revision, self.limits.revocations),
            Command::AgentChanged(agent) => {
                self.changes
                    .agent_changed(*agent, self.revision, self.now, self.limits.changes);
                Ok(())
            }
            Command::OrganizationChanged(organization) => {
                self.changes
                    .organization_changed(*organization, self.revision, self.now, self.limits.changes);
                Ok(())
            }
            Command::Tick { now } => {
                self.tick(*now);
                Ok(())
            }
            Command::PublishKey { .. } | Command::MakeKeyCurrent { .. } | Command::RemoveKey { .. } => {
                Err(Refusal::NotTheirs)
            }
            Command::Invite { digest, expires_at } => self.invites.open(*digest, *expires_at),
            Command::RedeemInvite { digest, node_id, now } => self.invites.redeem(digest, *node_id, *now),
            Command::Place { members, expected } => self.placement.move_to(members, *expected),
            Command::Keys(command) => self.change_keys(command),
            Command::RaiseFormat { to, software } => {
                self.agreement.raise(*to, software);
                Ok(())
            }
        }
    }

    fn bootstrap(&mut self, bootstrap: &BootstrapCommand) -> Result<(), Refusal> {
        if self.identity.is_some() {
            return Err(Refusal::AlreadyBootstrapped);
        }
        self.keys = KeyRing::first(&bootstrap.keys, bootstrap.at, self.revision)?;
        self.identity = Some(Identity {
            cluster_id: bootstrap.cluster_id,
            digest_key: bootstrap.digest_key.clone(),
            bootstrapped_at: bootstrap.at,
        });
        Ok(())
    }

    fn require_bootstrapped(&self) -> Result<(), Refusal> {
        if self.identity.is_some() {
            Ok(())
        } else {
            Err(Refusal::NotBootstrapped)
        }
    }

    /// Time never goes back: a tick from a clock that is behind changes nothing.
    fn tick(&mut self, now: Timestamp) {
        if now < self.now {
            return;
        }
        self.now = now;
        self.revocations.forget(now, self.limits.forgotten_by_tick);
        self.changes.forget(now, self.limits.forgotten_by_tick);
        self.invites.forget(now);
    }

    /// Whether a tick at `now` would forget something.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.now
            && (self.revocations.has_expired(now) || self.changes.has_expired(now) || self.invites.has_expired(now))
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn is_revoked(&self, token: &TokenFacts) -> bool {
        token.issued_at < self.lineage.tokens_since || self.revocations.is_revoked(token)
    }

    pub(crate) fn is_outdated(&self, organization: OrganizationId, agent: AgentId, read_at: Revision) -> bool {
        self.changes.is_outdated(organization, agent, read_at)
    }

    /// Whether there is an open invitation of this digest.
    pub(crate) fn has_invite(&self, digest: &InviteDigest) -> bool {
        self.invites.has(digest)
    }

    pub(crate) fn revocation_count(&self) -> usize {
        self.revocations.len()
    }

    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The latest moment that the cluster has noticed.
    pub(crate) fn latest_time(&self) -> Timestamp {
        let bootstrapped_at = self
            .identity
            .as_ref()
            .map_or(self.now, |identity| identity.bootstrapped_at);
        self.now.max(bootstrapped_at).max(self.lineage.restored_at)
    }

    /// The state of a cluster that is founded again from this one. Nothing that was under way before may be finished in
    /// it: batches, invitations that were perhaps used, and what nodes have cached.
    pub(crate) fn restored(&self, lineage: Lineage, software: &str) -> Self {
        let mut agreement = self.agreement.clone();
        agreement.raise(LINEAGE_FORMAT, software);
        Self {
            revision: lineage.first_revision,
            changes: Changes::forgotten(lineage.first_revision),
            sessions: Sessions::default(),
            invites: Invites::default(),
            agreement,
            lineage,
            ..self.clone()
        }
    }

    pub(crate) fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    pub(crate) fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub(crate) fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Steps of signing keys that the audit log has not been told of yet.
    pub(crate) fn key_events(&self) -> impl Iterator<Item = &KeyEvent> {
        self.key_events.iter()
    }
}

impl From<Refusal> for ReplicationError {
    fn from(refusal: Refusal) -> Self {
        ReplicationError::Unavailable(refusal.to_string())
    }
}

#[cfg(test)]
mod tests;
