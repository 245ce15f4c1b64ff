//! A store in memory. A write is one step under one lock, so it is there as a whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use domain::audit::{ChainVerifier, Verdict};
use domain::ports::{Conflict, StoreError};
use domain::{
    Agent, AgentId, AgentStatus, AuditEvent, AuditRecord, ChainHead, Change, CredentialId, EventId, Organization,
    OrganizationId, OrganizationStatus, OutboxEntry, OutboxId, StoredCredential,
};

use super::switches::Switches;

/// The store.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    /// Faults of the management tables.
    pub rows: Switches,
    /// Faults of client look-ups.
    pub loading: Switches,
    /// Faults of the audit log.
    pub auditing: Switches,
    /// Faults of the outbox.
    pub relaying: Switches,
}

#[derive(Default)]
pub struct Tables {
    pub organizations: BTreeMap<OrganizationId, Organization>,
    pub agents: BTreeMap<AgentId, Agent>,
    pub credentials: BTreeMap<CredentialId, StoredCredential>,
    pub events: Vec<AuditEvent>,
    pub event_ids: BTreeSet<EventId>,
    pub heads: BTreeMap<OrganizationId, ChainHead>,
    pub pending: BTreeMap<OutboxId, OutboxEntry>,
    pub last_outbox_id: i64,
}

impl MemoryStore {
    /// The tables, for looking at and for setting up.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no panic")
    }

    /// The events of an organization.
    pub fn events(&self, organization: OrganizationId) -> Vec<AuditEvent> {
        let tables = self.tables();
        tables
            .events
            .iter()
            .filter(|event| event.organization_id == organization)
            .cloned()
            .collect()
    }

    /// How many entries of the outbox are not complete.
    pub fn pending_count(&self) -> usize {
        self.tables().pending.len()
    }

    /// Panics unless the organization's chain is whole.
    pub fn verify_chain(&self, organization: OrganizationId) {
        let events = self.events(organization);
        let mut verifier = ChainVerifier::from_start();
        for event in &events {
            verifier.check(event);
        }
        let checked = u64::try_from(events.len()).expect("few");
        assert_eq!(verifier.verdict(), Verdict::Whole { checked });
    }
}

pub fn away() -> StoreError {
    StoreError::Unavailable("switched off".into())
}

impl Tables {
    /// Appends records; all or none.
    pub fn append(&mut self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        let ids: BTreeSet<EventId> = records.iter().map(|record| record.event_id).collect();
        if ids.len() < records.len() || ids.iter().any(|id| self.event_ids.contains(id)) {
            return Err(Conflict::AuditEvent.into());
        }
        for record in records {
            let head = self.heads.entry(record.organization_id).or_insert(ChainHead::EMPTY);
            self.events.push(head.append(record));
        }
        self.event_ids.extend(ids);
        Ok(())
    }

    /// What goes into every transaction beside its rows.
    pub fn commit(&mut self, change: &Change) -> Result<OutboxId, StoreError> {
        self.check_author(change)?;
        self.append(vec![change.audit.clone()])?;
        self.last_outbox_id += 1;
        let id = OutboxId(self.last_outbox_id);
        let message = change.message.clone();
        self.pending.insert(id, OutboxEntry { id, message });
        Ok(id)
    }

    fn check_author(&self, change: &Change) -> Result<(), StoreError> {
        let Some(author) = change.author else { return Ok(()) };
        let of_organization = |id| id == change.audit.organization_id;
        let organization = self.organizations.get(&change.audit.organization_id);
        let agent = self.agents.get(&author.agent);
        let credential = self
            .credentials
            .get(&author.credential)
            .map(|stored| &stored.credential);
        let is_active = organization.is_some_and(|row| row.status == OrganizationStatus::Active)
            && agent.is_some_and(|row| row.status == AgentStatus::Active && of_organization(row.organization_id))
            && credential.is_some_and(|row| row.agent_id == author.agent && row.is_usable(change.audit.timestamp));
        is_active.then_some(()).ok_or(StoreError::AuthorNotActive)
    }

    pub fn email_is_taken(&self, agent: &Agent) -> bool {
        self.agents.values().any(|other| {
            other.organization_id == agent.organization_id
                && other.agent_id != agent.agent_id
                && other.status != AgentStatus::Decommissioned
                && other.email == agent.email
        })
    }

    pub fn replace(&mut self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        let present = self
            .agents
            .get(&agent.agent_id)
            .filter(|row| row.organization_id == agent.organization_id);
        let present = present.ok_or(StoreError::NotFound)?;
        if present.row_version + 1 != agent.row_version {
            return Err(Conflict::RowVersion.into());
        }
        if self.email_is_taken(agent) {
            return Err(Conflict::AgentEmail.into());
        }
        let id = self.commit(change)?;
        self.agents.insert(agent.agent_id, agent.clone());
        Ok(id)
    }

    pub fn credential_mut(
        &mut self,
        organization: OrganizationId,
        credential: CredentialId,
    ) -> Result<&mut StoredCredential, StoreError> {
        let found = self.credentials.get_mut(&credential);
        found
            .filter(|stored| stored.credential.organization_id == organization)
            .ok_or(StoreError::NotFound)
    }
}
