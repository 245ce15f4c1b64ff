//! What every write needs, and the steps that all of them share.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Agents, Clients, Clock, Conflict, Credentials, Entropy, Replication, StoreError};
use domain::{
    Action, Agent, AgentId, Applied, AuditRecord, Author, Change, Credential, CredentialId, EventId, JsonText,
    Organization, OutboxId, OutboxMessage, Outcome, ReplicatedChange, Revocation, Subject, Timestamp,
};
use protocol::ClientSecrets;

use crate::audit::AuditHandle;
use crate::error::TenantError;
use crate::outbox::OutboxHandle;
use crate::tenant::client_cache::ClientCache;
use crate::tenant::requests::Caller;

/// A revocation is remembered this much longer than the longest token lives, for verifiers whose clocks are late.
const CLOCK_MARGIN: Duration = Duration::from_secs(300);

/// What every write needs.
pub(crate) struct WriteContext {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub agents: Arc<dyn Agents>,
    pub credentials: Arc<dyn Credentials>,
    pub clients: Arc<dyn Clients>,
    pub replication: Arc<dyn Replication>,
    pub secrets: Arc<ClientSecrets>,
    pub outbox: OutboxHandle,
    pub audit: AuditHandle,
    pub cache: Arc<ClientCache>,
}

/// What a write did, for the log and for the rest of the system.
pub(super) struct Deed<'a> {
    pub action: Action,
    /// The agent that it was done to.
    pub target: AgentId,
    /// What else the log should tell.
    pub details: &'a [(&'a str, &'a str)],
    /// What every node must learn before the write is answered.
    pub replicate: Vec<ReplicatedChange>,
    pub now: Timestamp,
}

impl WriteContext {
    /// The agent, if it is the caller's organization's.
    pub(super) async fn agent(&self, caller: &Caller, agent: AgentId) -> Result<Agent, TenantError> {
        let found = self.agents.find(caller.organization, agent).await?;
        found.ok_or(TenantError::AgentNotFound)
    }

    /// The credential, if it is this agent's.
    pub(super) async fn credential(
        &self,
        caller: &Caller,
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<Credential, TenantError> {
        let found = self.credentials.find(caller.organization, agent, credential).await?;
        found.ok_or(TenantError::CredentialNotFound)
    }

    /// What goes into the transaction beside the row. The event names who did it; its metadata name to whom it was done.
    pub(super) fn change(&self, caller: &Caller, deed: Deed<'_>) -> Change {
        let target = deed.target.to_string();
        let members: Vec<(&str, &str)> = std::iter::once(("targetAgentId", target.as_str()))
            .chain(deed.details.iter().copied())
            .collect();
        Change {
            author: Some(Author {
                agent: caller.agent,
                credential: caller.credential,
            }),
            audit: AuditRecord {
                event_id: EventId::mint(deed.now, self.entropy.as_ref()),
                organization_id: caller.organization,
                agent_id: Some(caller.agent),
                action: deed.action,
                outcome: Outcome::Success,
                origin: caller.origin.clone(),
                metadata: JsonText::object(&members),
                timestamp: deed.now,
            },
            message: OutboxMessage {
                organization_id: caller.organization,
                action: deed.action,
                agent_id: Some(deed.target),
                replicate: deed.replicate,
                occurred_at: deed.now,
            },
        }
    }

    /// The row is written: makes the change known everywhere. Only then it may be answered.
    pub(super) async fn finish(&self, entry: OutboxId, change: Change) -> Result<(), TenantError> {
        let message = change.message;
        let kills = message.kills();
        if let Some(agent) = message.agent_id {
            self.cache.forget(agent);
        }
        if !message.replicate.is_empty() {
            let applied = self.replication.apply(message.replicate).await?;
            if !applied.unconfirmed.is_empty() {
                self.audit.record(self.missed(&change.audit, &applied)).await?;
            }
        }
        if kills {
            self.outbox.finished_killing(entry).await;
        } else {
            self.outbox.finished(entry);
        }
        Ok(())
    }

    /// Tells the log which members may not know of a change yet although it is answered.
    fn missed(&self, change: &AuditRecord, applied: &Applied) -> AuditRecord {
        let (now, members) = (self.clock.now(), applied.unconfirmed_list());
        let metadata = [("change", change.action.as_str()), ("unconfirmedMembers", &members)];
        AuditRecord {
            event_id: EventId::mint(now, self.entropy.as_ref()),
            action: Action::ClusterMemberMissed,
            outcome: Outcome::Failure,
            metadata: JsonText::object(&metadata),
            timestamp: now,
            ..change.clone()
        }
    }

    /// What was to be ended is ended already. The caller may take that for an answer, so it must be true everywhere, also
    /// if whoever ended it could not finish.
    pub(super) async fn already(
        &self,
        ended: Vec<ReplicatedChange>,
        error: TenantError,
    ) -> Result<TenantError, TenantError> {
        self.replication.apply(ended).await?;
        Ok(error)
    }

    /// Kills everything that an agent holds, and what nodes have cached of it.
    pub(super) fn kill_agent(agent: AgentId, now: Timestamp) -> Vec<ReplicatedChange> {
        vec![
            revoke(Subject::Agent(agent), now),
            ReplicatedChange::AgentChanged(agent),
        ]
    }

    /// Kills everything that was issued from a credential, and what nodes have cached of its agent.
    pub(super) fn kill_credential(agent: AgentId, credential: CredentialId, now: Timestamp) -> Vec<ReplicatedChange> {
        vec![
            revoke(Subject::Credential(credential), now),
            ReplicatedChange::AgentChanged(agent),
        ]
    }
}

fn revoke(subject: Subject, now: Timestamp) -> ReplicatedChange {
    ReplicatedChange::Revoke(Revocation {
        subject,
        forget_at: now.plus(Organization::TOKEN_TTL_MAX).plus(CLOCK_MARGIN),
    })
}

/// What a store's refusal to write an agent means.
pub(super) fn agent_error(error: StoreError) -> TenantError {
    match error {
        StoreError::Conflict(Conflict::AgentEmail) => TenantError::AgentAlreadyExists,
        StoreError::Conflict(Conflict::RowVersion) => TenantError::VersionMismatch,
        StoreError::NotFound => TenantError::AgentNotFound,
        other => other.into(),
    }
}

/// What a store's refusal to write a credential means.
pub(super) fn credential_error(error: StoreError) -> TenantError {
    match error {
        StoreError::Conflict(Conflict::CredentialRevoked) => TenantError::CredentialAlreadyRevoked,
        StoreError::NotFound => TenantError::CredentialNotFound,
        other => other.into(),
    }
}
