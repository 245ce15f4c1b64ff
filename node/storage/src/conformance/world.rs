//! The tests' world: organizations with unique names, and what belongs to them.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::audit::{ChainHead, ChainVerifier, Verdict};
use domain::ports::{Conflict, StoreError};
use domain::{
    Action, Agent, AgentFilter, AgentId, AgentType, AuditEvent, AuditRecord, Change, ClientRecord, Credential,
    CredentialId, CredentialStatus, DeploymentEnv, Email, EventId, JsonText, NewAgent, Organization, OrganizationId,
    Origin, OutboxEntry, OutboxMessage, Outcome, Page, ReplicatedChange, SecretDigest, StoredCredential, Timestamp,
};
use uuid::Uuid;

use crate::Stores;

/// When the world began, in milliseconds: a moment with milliseconds that are not zero.
const BEGINNING: i64 = 1_750_000_000_123;
/// More entries than all functions of the suite together leave behind.
const ALL: u32 = 1_000_000;

/// The instant `millis` after the beginning.
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(BEGINNING + millis)
}

/// A number that nobody else got.
pub fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An identifier that nobody else got; later ones are greater.
pub fn uuid() -> Uuid {
    Uuid::from_u128(0x0192_0000_0000_7000_8000 << 48 | u128::from(unique()))
}

/// A digest that nobody else got.
pub fn digest() -> SecretDigest {
    let mut bytes = [0xd5; 32];
    bytes[..8].copy_from_slice(&unique().to_be_bytes());
    SecretDigest(bytes)
}

/// An address that nobody else got.
pub fn email() -> Email {
    format!("agent-{}@agents.example", unique())
        .parse()
        .expect("a plain address")
}

/// A page of the given number and size.
pub fn page(number: u32, limit: u32) -> Page {
    Page::new(Some(number), Some(limit)).expect("within the limits of pages")
}

/// A page that holds all that a function of the suite makes.
pub fn whole() -> Page {
    page(1, Page::LIMIT_MAX)
}

/// The rule that a write would have broken.
#[track_caller]
pub fn conflict<T: Debug>(result: Result<T, StoreError>) -> Conflict {
    match result {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

/// Asserts that the row was not there.
#[track_caller]
pub fn assert_not_found<T: Debug>(result: Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::NotFound)),
        "NotFound was expected, not {result:?}"
    );
}

/// An organization that is not stored yet.
pub fn new_organization() -> Organization {
    let id = OrganizationId(uuid());
    Organization::new(id, "Screening Ltd.", &format!("organization-{}", unique()), at(0))
}

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
        let tenant = Self {
            stores: stores.clone(),
            organization: new_organization(),
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
        let pending = self.stores.outbox.pending(at(1_000_000_000), ALL).await;
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

/// The next revision of an agent, as a caller who saw `agent` would write it.
pub fn next(agent: &Agent) -> Agent {
    Agent {
        row_version: agent.row_version + 1,
        updated_at: at(40),
        ..agent.clone()
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
