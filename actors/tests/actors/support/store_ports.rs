//! The storage ports of the store in memory.

use async_trait::async_trait;
use domain::ports::{
    Agents, AuditTrail, Clients, Conflict, CredentialRotation, Credentials, Organizations, Outbox, StoreError,
};
use domain::{
    Agent, AgentFilter, AgentId, AuditEvent, AuditFilter, AuditRecord, ChainHead, Change, ClientRecord, Credential,
    CredentialId, CredentialStatus, EventId, Organization, OrganizationId, OutboxEntry, OutboxId, Page, PageOf,
    StoredCredential, Timestamp,
};

use super::store::{MemoryStore, away};

fn page_of<T>(data: Vec<T>, page: Page) -> PageOf<T> {
    let total = u64::try_from(data.len()).expect("few");
    let offset = usize::try_from(page.offset()).expect("few");
    let limit = usize::try_from(page.limit()).expect("few");
    PageOf {
        data: data.into_iter().skip(offset).take(limit).collect(),
        total,
        page: page.number(),
        limit: page.limit(),
    }
}

#[async_trait]
impl Agents for MemoryStore {
    async fn register(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let mut tables = self.tables();
        if tables.email_is_taken(agent) {
            return Err(Conflict::AgentEmail.into());
        }
        let id = tables.commit(change)?;
        tables.agents.insert(agent.agent_id, agent.clone());
        Ok(id)
    }

    async fn find(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<Agent>, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let found = self.tables().agents.get(&agent).cloned();
        Ok(found.filter(|agent| agent.organization_id == organization))
    }

    async fn list(
        &self,
        organization: OrganizationId,
        _filter: &AgentFilter,
        page: Page,
    ) -> Result<PageOf<Agent>, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let tables = self.tables();
        let agents = tables
            .agents
            .values()
            .filter(|agent| agent.organization_id == organization);
        Ok(page_of(agents.cloned().collect(), page))
    }

    async fn update(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        self.tables().replace(agent, change)
    }

    async fn decommission(&self, agent: &Agent, change: &Change) -> Result<OutboxId, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let mut tables = self.tables();
        let id = tables.replace(agent, change)?;
        for stored in tables.credentials.values_mut() {
            if stored.credential.agent_id == agent.agent_id && stored.credential.status == CredentialStatus::Active {
                stored.credential.status = CredentialStatus::Revoked;
                stored.credential.revoked_at = Some(agent.updated_at);
            }
        }
        Ok(id)
    }
}

#[async_trait]
impl Credentials for MemoryStore {
    async fn create(&self, credential: &StoredCredential, change: &Change) -> Result<OutboxId, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let mut tables = self.tables();
        let owner = tables.agents.get(&credential.credential.agent_id);
        owner
            .filter(|agent| agent.organization_id == credential.credential.organization_id)
            .ok_or(StoreError::NotFound)?;
        let all = tables.credentials.values().map(|stored| &stored.credential);
        let active = all.filter(|found| {
            found.agent_id == credential.credential.agent_id && found.status == CredentialStatus::Active
        });
        if active.count() >= usize::try_from(Credential::ACTIVE_MAX).expect("few") {
            return Err(Conflict::CredentialLimit.into());
        }
        let id = tables.commit(change)?;
        tables
            .credentials
            .insert(credential.credential.credential_id, credential.clone());
        Ok(id)
    }

    async fn find(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let found = self
            .tables()
            .credentials
            .get(&credential)
            .map(|stored| stored.credential.clone());
        Ok(found.filter(|found| found.organization_id == organization && found.agent_id == agent))
    }

    async fn list(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        status: Option<CredentialStatus>,
        page: Page,
    ) -> Result<PageOf<Credential>, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let tables = self.tables();
        let all = tables.credentials.values().map(|stored| &stored.credential);
        let wanted = all
            .filter(|found| found.organization_id == organization && found.agent_id == agent)
            .filter(|found| status.is_none_or(|status| found.status == status));
        Ok(page_of(wanted.cloned().collect(), page))
    }

    async fn rotate(
        &self,
        organization: OrganizationId,
        rotation: &CredentialRotation,
        change: &Change,
    ) -> Result<(Credential, OutboxId), StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let mut tables = self.tables();
        if tables
            .credential_mut(organization, rotation.credential)?
            .credential
            .status
            == CredentialStatus::Revoked
        {
            return Err(Conflict::CredentialRevoked.into());
        }
        let id = tables.commit(change)?;
        let stored = tables.credential_mut(organization, rotation.credential)?;
        stored.previous = rotation.overlap_until.map(|until| (stored.digest, until));
        stored.digest = rotation.digest;
        stored.credential.expires_at = rotation.expires_at;
        Ok((stored.credential.clone(), id))
    }

    async fn revoke(
        &self,
        organization: OrganizationId,
        credential: CredentialId,
        at: Timestamp,
        change: &Change,
    ) -> Result<OutboxId, StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let mut tables = self.tables();
        if tables.credential_mut(organization, credential)?.credential.status == CredentialStatus::Revoked {
            return Err(Conflict::CredentialRevoked.into());
        }
        let id = tables.commit(change)?;
        let stored = tables.credential_mut(organization, credential)?;
        stored.credential.status = CredentialStatus::Revoked;
        stored.credential.revoked_at = Some(at);
        Ok(id)
    }

    async fn touch(&self, organization: OrganizationId, used: &[(CredentialId, Timestamp)]) -> Result<(), StoreError> {
        self.rows.pass().await.then_some(()).ok_or_else(away)?;
        let mut tables = self.tables();
        for (credential, at) in used {
            if let Ok(stored) = tables.credential_mut(organization, *credential) {
                stored.credential.last_used_at = stored.credential.last_used_at.max(Some(*at));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Clients for MemoryStore {
    async fn load(&self, client: AgentId) -> Result<Option<ClientRecord>, StoreError> {
        self.loading.pass().await.then_some(()).ok_or_else(away)?;
        let tables = self.tables();
        let Some(agent) = tables.agents.get(&client) else {
            return Ok(None);
        };
        let credentials = tables
            .credentials
            .values()
            .filter(|stored| stored.credential.agent_id == client);
        Ok(Some(ClientRecord {
            organization: tables.organizations[&agent.organization_id].clone(),
            agent: agent.clone(),
            credentials: credentials
                .filter(|stored| stored.credential.status == CredentialStatus::Active)
                .cloned()
                .collect(),
        }))
    }
}

#[async_trait]
impl AuditTrail for MemoryStore {
    async fn append(&self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        self.auditing.pass().await.then_some(()).ok_or_else(away)?;
        self.tables().append(records)
    }

    async fn list(
        &self,
        organization: OrganizationId,
        _filter: &AuditFilter,
        page: Page,
    ) -> Result<PageOf<AuditEvent>, StoreError> {
        Ok(page_of(self.events(organization).into_iter().rev().collect(), page))
    }

    async fn find(&self, organization: OrganizationId, event: EventId) -> Result<Option<AuditEvent>, StoreError> {
        Ok(self
            .events(organization)
            .into_iter()
            .find(|found| found.event_id == event))
    }

    async fn range(&self, organization: OrganizationId, after: u64, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        let events = self
            .events(organization)
            .into_iter()
            .filter(|event| event.sequence > after);
        Ok(events.take(usize::try_from(limit).expect("few")).collect())
    }

    async fn head(&self, organization: OrganizationId) -> Result<ChainHead, StoreError> {
        Ok(self
            .tables()
            .heads
            .get(&organization)
            .copied()
            .unwrap_or(ChainHead::EMPTY))
    }
}

#[async_trait]
impl Organizations for MemoryStore {
    async fn create(&self, organization: &Organization, _change: &Change) -> Result<OutboxId, StoreError> {
        let mut tables = self.tables();
        tables
            .organizations
            .insert(organization.organization_id, organization.clone());
        Ok(OutboxId(0))
    }

    async fn find(&self, organization: OrganizationId) -> Result<Option<Organization>, StoreError> {
        Ok(self.tables().organizations.get(&organization).cloned())
    }

    async fn find_by_slug(&self, slug: &str) -> Result<Option<Organization>, StoreError> {
        let tables = self.tables();
        Ok(tables.organizations.values().find(|known| known.slug == slug).cloned())
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn pending(&self, after: Option<OutboxId>, limit: u32) -> Result<Vec<OutboxEntry>, StoreError> {
        self.relaying.pass().await.then_some(()).ok_or_else(away)?;
        let tables = self.tables();
        let entries = tables
            .pending
            .values()
            .filter(|entry| after.is_none_or(|after| after < entry.id));
        Ok(entries.take(usize::try_from(limit).expect("few")).cloned().collect())
    }

    async fn complete(&self, entries: &[OutboxId]) -> Result<(), StoreError> {
        self.relaying.pass().await.then_some(()).ok_or_else(away)?;
        let mut tables = self.tables();
        for id in entries {
            tables.pending.remove(id);
        }
        Ok(())
    }
}
