//! The tests' world: organizations with unique names, and what belongs to them.

use std::fmt::Debug;

use domain::audit::{ChainHead, ChainVerifier, Verdict};
use domain::ports::{Conflict, StoreError};
use domain::{
    Action, Agent, AgentFilter, AgentId, AgentType, AuditEvent, AuditRecord, Change, ClientRecord, Credential,
    CredentialId, CredentialStatus, DeploymentEnv, EventId, JsonText, NewAgent, Organization, OrganizationId, Origin,
    OutboxEntry, OutboxMessage, Outcome, ReplicatedChange, StoredCredential, Timestamp,
};

pub use super::values::*;
use crate::Stores;

/// More entries than all functions of the suite together leave behind.
const ALL: u32 = 1_000_000;

/// An organization in a store.
#[derive(Clone)]
pub struct Tenant {
    stores: Stores,
    /// As it was created.
    pub organization: Organization,
}

/// All that a store says of one organization; equal before and after what must change nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    agents: Vec<Agent>,
    credentials: Vec<Credential>,
    clients: Vec<ClientRecord>,
    events: Vec<AuditEvent>,
    messages: Vec<OutboxEntry>,
}

impl Tenant {
    /// A new organization.
    pub async fn new(stores: &Stores) -> Self {
        Self::of(stores, new_organization()).await
    }

    /// This organization, which is stored.
    pub async fn of(stores: &Stores, organization: Organization) -> Self {
        let tenant = Self {
            stores: stores.clone(),
            organization,
        };
        let change = tenant.change(Action::OrganizationCreated);
        let created = stores.organizations.create(&tenant.organization, &change).await;
        created.expect("a new slug is free");
        tenant
    }

    /// The same organization through another connection, or after a restart.
    pub fn seen_through(&self, stores: &Stores) -> Self {
        Self {
            stores: stores.clone(),
            organization: self.organization.clone(),
        }
    }

    /// Where it is.
    pub fn stores(&self) -> Stores {
        self.stores.clone()
    }

    /// Its id.
    pub fn id(&self) -> OrganizationId {
        self.organization.organization_id
    }

    /// An agent that is not registered yet.
    pub fn agent(&self) -> Agent {
        let new = NewAgent {
            email: email(),
            agent_type: AgentType::Screener,
            version: "1.0.0".to_owned(),
            capabilities: vec!["resume:read".parse().expect("a capability")],
            owner: "talent team".to_owned(),
            deployment_env: DeploymentEnv::Production,
            is_public: false,
        };
        new.register(AgentId(uuid()), self.id(), at(10))
    }

    /// Registers an agent.
    pub async fn register(&self, agent: &Agent) {
        let change = self.change(Action::AgentCreated);
        let registered = self.stores.agents.register(agent, &change).await;
        registered.expect("a new email is free");
    }

    /// A new, registered agent.
    pub async fn registered(&self) -> Agent {
        let agent = self.agent();
        self.register(&agent).await;
        agent
    }

    /// A credential that is not stored yet.
    pub fn credential(&self, agent: AgentId) -> StoredCredential {
        StoredCredential {
            credential: Credential {
                credential_id: CredentialId(uuid()),
                organization_id: self.id(),
                agent_id: agent,
                status: CredentialStatus::Active,
                scopes: None,
                created_at: at(20),
                expires_at: None,
                revoked_at: None,
                last_used_at: None,
            },
            digest: digest(),
            previous: None,
        }
    }

    /// Stores a credential.
    pub async fn store(&self, credential: &StoredCredential) {
        let change = self.change(Action::CredentialGenerated);
        let created = self.stores.credentials.create(credential, &change).await;
        created.expect("the agent is there");
    }

    /// A new, stored credential.
    pub async fn stored(&self, agent: AgentId) -> StoredCredential {
        let credential = self.credential(agent);
        self.store(&credential).await;
        credential
    }

    /// Revokes a credential.
    pub async fn revoke(&self, credential: CredentialId, when: Timestamp) {
        let change = self.change(Action::CredentialRevoked);
        let revoked = self.stores.credentials.revoke(self.id(), credential, when, &change);
        revoked.await.expect("the credential is active");
    }

    /// A credential, which must be there.
    pub async fn find_credential(&self, credential: &Credential) -> Credential {
        let found = self
            .stores
            .credentials
            .find(self.id(), credential.agent_id, credential.credential_id);
        found
            .await
            .expect("the store answers")
            .expect("the credential is there")
    }

    /// An agent as a client, which must be there.
    pub async fn load(&self, agent: AgentId) -> ClientRecord {
        let loaded = self.stores.clients.load(agent).await;
        loaded.expect("the store answers").expect("the agent is there")
    }

    /// A record for the organization's audit log.
    pub fn record(&self, action: Action) -> AuditRecord {
        AuditRecord {
            event_id: EventId(uuid()),
            organization_id: self.id(),
            agent_id: None,
            action,
            outcome: Outcome::Success,
            origin: Origin {
                ip_address: Some("192.0.2.7".to_owned()),
                user_agent: Some("conformance/1".to_owned()),
            },
            metadata: JsonText::object(&[("scope", "agents:read")]),
            timestamp: at(30),
        }
    }

    /// What goes beside a row, with one entry of each kind that is to be replicated.
    pub fn change(&self, action: Action) -> Change {
        Change {
            author: None,
            audit: self.record(action),
            message: OutboxMessage {
                organization_id: self.id(),
                action,
                agent_id: None,
                replicate: vec![ReplicatedChange::OrganizationChanged(self.id())],
                occurred_at: at(30),
            },
        }
    }

    /// A change whose audit record can't be written, since its event is in the log already.
    pub async fn impossible_change(&self, action: Action) -> Change {
        let mut change = self.change(action);
        change.audit.event_id = self.events().await[0].event_id;
        change
    }

    /// Appends records to the log.
    pub async fn append(&self, records: Vec<AuditRecord>) {
        let appended = self.stores.audit_trail.append(records).await;
        appended.expect("new events are taken");
    }

    /// The whole audit log in ascending order, verified: without gaps, whole, and ending where the store says it ends.
    pub async fn events(&self) -> Vec<AuditEvent> {
        let trail = &self.stores.audit_trail;
        let events = trail.range(self.id(), 0, ALL).await.expect("the store answers");
        let mut verifier = ChainVerifier::from_start();
        events.iter().for_each(|event| {
            verifier.check(event);
        });
        let checked = events.len() as u64;
        assert_eq!(verifier.verdict(), Verdict::Whole { checked });
        let head = trail.head(self.id()).await.expect("the store answers");
        assert_eq!(Some(head), verifier.head());
        assert_eq!(head.sequence, checked);
        assert!(checked > 0 || head == ChainHead::EMPTY);
        events
    }

    /// The organization's messages that wait in the outbox, in order.
    pub async fn messages(&self) -> Vec<OutboxEntry> {
        let pending = self.stores.outbox.pending(None, ALL).await;
        let mut pending = pending.expect("the store answers");
        pending.retain(|entry| entry.message.organization_id == self.id());
        pending
    }

    /// All that the store says of the organization.
    pub async fn snapshot(&self) -> Snapshot {
        let listed = self
            .stores
            .agents
            .list(self.id(), &AgentFilter::default(), whole())
            .await;
        let agents = listed.expect("the store answers").data;
        let (mut credentials, mut clients) = (Vec::new(), Vec::new());
        for agent in &agents {
            let listed = self.stores.credentials.list(self.id(), agent.agent_id, None, whole());
            credentials.extend(listed.await.expect("the store answers").data);
            clients.push(self.load(agent.agent_id).await);
        }
        Snapshot {
            agents,
            credentials,
            clients,
            events: self.events().await,
            messages: self.messages().await,
        }
    }
}

/// Asserts that a write breaks a rule, and that nothing of these organizations was changed by the attempt.
pub async fn assert_conflict_changes_nothing<T: Debug>(
    tenants: &[&Tenant],
    write: impl Future<Output = Result<T, StoreError>>,
    expected: Conflict,
) {
    let mut before = Vec::new();
    for tenant in tenants {
        before.push(tenant.snapshot().await);
    }
    assert_eq!(conflict(write.await), expected);
    for (tenant, before) in tenants.iter().zip(before) {
        assert_eq!(tenant.snapshot().await, before);
    }
}
