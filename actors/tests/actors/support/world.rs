//! A node's actors with everything round them, and one organization with an agent that has a secret.

use std::sync::Arc;
use std::time::Duration;

use actors::{
    ActorMeters, ActorSettings, AuthorizeError, Authorized, Caller, Dependencies, NodeActors, OutboxSettings,
    RestartPolicy,
};
use domain::ports::{Clock, Entropy, RevocationView};
use domain::{
    AgentId, AgentType, AuditRecord, Credential, CredentialId, CredentialStatus, DeploymentEnv, EventId, JsonText,
    NewAgent, Organization, OrganizationId, Origin, Outcome, ScopeSet, Secret, StoredCredential, TokenFacts,
    TokenFamily, TokenId,
};
use protocol::ClientSecrets;
use protocol::oauth::{ClientAuthMethod, GrantRequest, PresentedClient, TokenRequest};
use uuid::Uuid;

use super::{MemoryCluster, MemoryKeys, MemoryStore, NumberedKeys, SeededEntropy, TokioClock};

pub const SECRET: &str = "sk_live_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The whole.
pub struct World {
    pub actors: NodeActors,
    pub store: Arc<MemoryStore>,
    pub cluster: Arc<MemoryCluster>,
    pub keys: Arc<MemoryKeys>,
    pub clock: Arc<TokioClock>,
    pub entropy: Arc<SeededEntropy>,
    pub organization: OrganizationId,
    pub agent: AgentId,
    pub credential: CredentialId,
    /// An administrator with its credential.
    pub operator: (AgentId, CredentialId),
}

impl World {
    /// Starts the actors with the default settings.
    pub async fn start() -> Self {
        Self::start_with(ActorSettings::default()).await
    }

    /// Starts the actors.
    pub async fn start_with(settings: ActorSettings) -> Self {
        Self::start_on(Arc::new(MemoryStore::default()), settings).await
    }

    /// Starts the actors over a store that may hold something already.
    pub async fn start_on(store: Arc<MemoryStore>, settings: ActorSettings) -> Self {
        Self::start_in(Arc::default(), store, settings).await
    }

    /// Starts the actors in a cluster, over a store that may hold something already.
    pub async fn start_in(cluster: Arc<MemoryCluster>, store: Arc<MemoryStore>, settings: ActorSettings) -> Self {
        let clock = Arc::new(TokioClock::new());
        let entropy = Arc::new(SeededEntropy::new(42));
        let keys = Arc::new(MemoryKeys::new(clock.clone(), settings.key_rotation.terms));
        let dependencies = Dependencies {
            clock: clock.clone(),
            entropy: entropy.clone(),
            agents: store.clone(),
            credentials: store.clone(),
            clients: store.clone(),
            audit_trail: store.clone(),
            outbox: store.clone(),
            organizations: store.clone(),
            signing_keys: keys.clone(),
            key_maker: Arc::new(NumberedKeys::default()),
            replication: cluster.clone(),
            revocations: cluster.clone(),
            secrets: Arc::new(secrets()),
            settings,
            meters: ActorMeters::default(),
        };
        let actors = NodeActors::start(dependencies).await.expect("the actors start");
        let mut world = Self {
            actors,
            store,
            cluster,
            keys,
            clock,
            entropy,
            organization: OrganizationId(Uuid::from_u128(1)),
            agent: AgentId(Uuid::nil()),
            credential: CredentialId(Uuid::nil()),
            operator: (AgentId(Uuid::nil()), CredentialId(Uuid::nil())),
        };
        (world.agent, world.credential) = world.add_agent(world.organization, Organization::SYSTEM_SLUG, "first", None);
        let scopes = Some(ScopeSet::all());
        world.operator = world.add_agent(world.organization, Organization::SYSTEM_SLUG, "operator", scopes);
        world
    }

    /// Puts an agent with a secret, and if need be its organization, into the store.
    pub fn add_agent(
        &self,
        organization: OrganizationId,
        slug: &str,
        name: &str,
        scopes: Option<ScopeSet>,
    ) -> (AgentId, CredentialId) {
        let now = self.clock.now();
        let agent_id = AgentId::mint(now, self.entropy.as_ref());
        let credential_id = CredentialId::mint(now, self.entropy.as_ref());
        let mut tables = self.store.tables();
        let row = Organization::new(organization, slug, slug, now);
        tables.organizations.entry(organization).or_insert(row);
        tables
            .agents
            .insert(agent_id, new_agent(name).register(agent_id, organization, now));
        let credential = Credential {
            credential_id,
            organization_id: organization,
            agent_id,
            status: CredentialStatus::Active,
            scopes,
            created_at: now,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        let digest = secrets().digest(&Secret::new(SECRET));
        let stored = StoredCredential {
            credential,
            digest,
            previous: None,
        };
        tables.credentials.insert(credential_id, stored);
        (agent_id, credential_id)
    }

    /// The administrator as the caller of a write, with `admin:orgs`.
    pub fn admin(&self) -> Caller {
        Caller {
            scopes: ScopeSet::all(),
            ..self.caller(self.operator.0, self.operator.1)
        }
    }

    /// An agent as the caller of a write, with all but `admin:orgs`, and a token that it takes now.
    pub fn caller(&self, agent: AgentId, credential: CredentialId) -> Caller {
        Caller {
            organization: self.organization,
            agent,
            credential,
            token: Some(self.token(agent, credential)),
            scopes: ScopeSet::unnarrowed(),
            origin: origin(),
        }
    }

    /// What a token says that an agent takes now.
    pub fn token(&self, agent: AgentId, credential: CredentialId) -> TokenFacts {
        TokenFacts {
            token: TokenId(Uuid::from_u128(1)),
            family: TokenFamily(Uuid::from_u128(2)),
            credential,
            agent,
            organization: self.organization,
            issued_at: self.cluster.revision().expect("the node may vouch"),
        }
    }

    /// The first agent asks for a token.
    pub async fn authorize(&self) -> Result<Authorized, AuthorizeError> {
        self.actors
            .tenants
            .authorize(&request(self.agent, SECRET), &origin())
            .await
    }

    /// A record of the first agent.
    pub fn record(&self) -> AuditRecord {
        let now = self.clock.now();
        AuditRecord {
            event_id: EventId::mint(now, self.entropy.as_ref() as &dyn Entropy),
            organization_id: self.organization,
            agent_id: Some(self.agent),
            action: domain::Action::TokenIssued,
            outcome: Outcome::Success,
            origin: origin(),
            metadata: JsonText::object(&[]),
            timestamp: now,
        }
    }
}

pub fn origin() -> Origin {
    Origin {
        ip_address: Some("192.0.2.7".into()),
        user_agent: Some("tests/1.0".into()),
    }
}

pub fn new_agent(name: &str) -> NewAgent {
    NewAgent {
        email: format!("{name}@agents.example").parse().expect("a valid address"),
        agent_type: AgentType::Monitor,
        version: "1.0.0".into(),
        capabilities: vec![],
        owner: "team".into(),
        deployment_env: DeploymentEnv::Staging,
        is_public: false,
    }
}

pub fn secrets() -> ClientSecrets {
    ClientSecrets::new(&[7; 32])
}

pub fn presented(client_id: AgentId, secret: &str) -> PresentedClient {
    PresentedClient {
        client_id,
        secret: Secret::new(secret),
        method: ClientAuthMethod::ClientSecretBasic,
    }
}

pub fn request(client_id: AgentId, secret: &str) -> TokenRequest {
    TokenRequest {
        client: presented(client_id, secret),
        grant: GrantRequest::ClientCredentials,
        scope: None,
        resources: vec![],
        nonce: None,
    }
}

/// Restarts that never pause, for tests that kill more often than is healthy.
pub fn patient() -> RestartPolicy {
    RestartPolicy {
        failures_max: usize::MAX,
        ..RestartPolicy::default()
    }
}

/// Settings for those tests: restarts that never pause, and a relay that looks often.
pub fn eager() -> ActorSettings {
    ActorSettings {
        restarts: patient(),
        outbox: OutboxSettings {
            sweep: Duration::from_millis(20),
            grace: Duration::from_millis(20),
            backoff_max: Duration::from_millis(40),
            ..OutboxSettings::default()
        },
        ..ActorSettings::default()
    }
}

/// Asks again and again until it is so.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), asking)
        .await
        .expect("it is so in time");
}
