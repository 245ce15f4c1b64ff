//! Makes an installation: signing keys, the digest key, the system organization and its first agent, the administrator.
//!
//! Each step looks whether it has been done, so that a crash between two of them is mended by the next start.

use cluster::{Bootstrap, ClusterHandle};
use domain::{
    Action, Agent, AgentFilter, AgentPatch, AgentStatus, AgentType, AuditRecord, Change, Credential, CredentialId,
    CredentialStatus, DeploymentEnv, EventId, JsonText, KeyTerms, NewAgent, Organization, OrganizationId, Origin,
    OutboxId, OutboxMessage, Outcome, Page, ReplicatedChange, Revocation, ScopeSet, Secret, SigningAlgorithm,
    StoredCredential, Subject, Tier, Timestamp,
};
use protocol::ClientSecrets;
use storage::Stores;
use zeroize::Zeroizing;

use super::error::StartError;
use super::foundation::Foundation;
use super::machine::Machine;

/// The administrator's address. `.internal` can't be registered, so no mail is ever sent there by accident.
const ADMIN_EMAIL: &str = "admin@agentidp.internal";

/// Whether an administrator's secret is made when there is one already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminSecret {
    /// Only if there is none yet.
    IfNone,
    /// Always; the former ones are revoked, and their tokens die.
    Replace,
}

/// Who may administer an installation.
pub struct AdminCredentials {
    /// The administrator's `client_id`.
    pub client_id: domain::AgentId,
    /// Its secret, if one was made just now. It is not to be had again.
    pub client_secret: Option<Secret>,
}

/// An installation that stands.
pub struct Installation {
    /// The system organization.
    pub organization_id: OrganizationId,
    /// The administrator.
    pub admin: AdminCredentials,
}

impl Foundation {
    /// Makes the installation, or finds it made.
    pub async fn bootstrap(&self, admin_secret: AdminSecret) -> Result<Installation, StartError> {
        let cluster = self.cluster.handle();
        let known = self
            .stores
            .organizations
            .find_by_slug(Organization::SYSTEM_SLUG)
            .await?;
        if !cluster.is_bootstrapped() {
            if known.is_some() {
                return Err(StartError::ForeignStore);
            }
            // Whoever wants a new secret believes to have an installation; another one would be a surprise.
            if admin_secret == AdminSecret::Replace {
                return Err(StartError::NotInitialised);
            }
            make_keys(&cluster, &self.machine, self.config.keys.terms()).await?;
        } else if known.is_none() {
            let path = self.config.cluster.data_dir.clone();
            return Err(StartError::LostStore { path });
        }
        let steps = Steps {
            stores: &self.stores,
            machine: &self.machine,
            cluster: &cluster,
        };
        let organization = match known {
            Some(organization) => organization,
            None => steps.create_organization(self.config.keys.algorithm).await?,
        };
        let agent = steps.admin_agent(&organization, admin_secret).await?;
        let client_secret = steps.admin_secret(&agent, admin_secret).await?;
        Ok(Installation {
            organization_id: organization.organization_id,
            admin: AdminCredentials {
                client_id: agent.agent_id,
                client_secret,
            },
        })
    }
}

/// A key of every algorithm, so that an organization may choose and JWKS need not change when it does.
async fn make_keys(cluster: &ClusterHandle, machine: &Machine, terms: KeyTerms) -> Result<(), StartError> {
    let mut keys = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        keys.push(machine.key_maker.make(*algorithm).await?);
    }
    let mut digest_key = Zeroizing::new([0u8; 32]);
    machine.entropy.fill(digest_key.as_mut());
    let first = Bootstrap {
        keys,
        digest_key,
        terms,
    };
    Ok(cluster.bootstrap(first).await?)
}

struct Steps<'a> {
    stores: &'a Stores,
    machine: &'a Machine,
    cluster: &'a ClusterHandle,
}

impl Steps<'_> {
    async fn create_organization(&self, algorithm: SigningAlgorithm) -> Result<Organization, StartError> {
        let now = self.machine.clock.now();
        let id = OrganizationId::mint(now, self.machine.entropy.as_ref());
        let organization = Organization {
            tier: Tier::Enterprise,
            signing_algorithm: algorithm,
            ..Organization::new(id, "System", Organization::SYSTEM_SLUG, now)
        };
        let change = self.change(
            id,
            None,
            Action::OrganizationCreated,
            &[("slug", Organization::SYSTEM_SLUG)],
            Vec::new(),
        );
        self.stores.organizations.create(&organization, &change).await?;
        Ok(organization)
    }

    async fn admin_agent(&self, organization: &Organization, wanted: AdminSecret) -> Result<Agent, StartError> {
        let Some(agent) = self.find_admin(organization.organization_id).await? else {
            return self.register_admin(organization.organization_id).await;
        };
        if agent.status == AgentStatus::Active {
            return Ok(agent);
        }
        if wanted == AdminSecret::Replace {
            return self.reactivate(&agent).await;
        }
        tracing::warn!("the administrator is suspended; start once with --new-admin-secret to reactivate it");
        Ok(agent)
    }

    /// Whoever has the administrator's address, or, where that was changed, the organization's first agent.
    async fn find_admin(&self, organization: OrganizationId) -> Result<Option<Agent>, StartError> {
        for status in [AgentStatus::Active, AgentStatus::Suspended] {
            let filter = AgentFilter {
                q: Some(ADMIN_EMAIL.to_owned()),
                status: Some(status),
                ..AgentFilter::default()
            };
            let found = self.stores.agents.list(organization, &filter, Page::default()).await?;
            let admin = found.data.into_iter().find(|agent| agent.email.as_str() == ADMIN_EMAIL);
            if admin.is_some() {
                return Ok(admin);
            }
        }
        let everybody = AgentFilter::default();
        let oldest = self
            .stores
            .agents
            .list(organization, &everybody, Page::default())
            .await?;
        let first = oldest.data.into_iter().next();
        Ok(first.filter(|agent| agent.status != AgentStatus::Decommissioned))
    }

    async fn reactivate(&self, admin: &Agent) -> Result<Agent, StartError> {
        let patch = AgentPatch {
            status: Some(AgentStatus::Active),
            ..AgentPatch::default()
        };
        let Ok(active) = patch.apply(admin, self.machine.clock.now()) else {
            return Ok(admin.clone());
        };
        let (id, target) = (admin.agent_id, admin.agent_id.to_string());
        let change = self.change(
            admin.organization_id,
            Some(id),
            Action::AgentReactivated,
            &[("targetAgentId", &target)],
            vec![ReplicatedChange::AgentChanged(id)],
        );
        let entry = self.stores.agents.update(&active, &change).await?;
        self.replicate(&change, entry).await?;
        Ok(active)
    }

    async fn register_admin(&self, id: OrganizationId) -> Result<Agent, StartError> {
        let now = self.machine.clock.now();
        let agent = administrator().register(domain::AgentId::mint(now, self.machine.entropy.as_ref()), id, now);
        let target = agent.agent_id.to_string();
        let change = self.change(
            id,
            Some(agent.agent_id),
            Action::AgentCreated,
            &[("targetAgentId", &target)],
            Vec::new(),
        );
        self.stores.agents.register(&agent, &change).await?;
        Ok(agent)
    }

    async fn admin_secret(&self, admin: &Agent, wanted: AdminSecret) -> Result<Option<Secret>, StartError> {
        let page = Page::new(None, Some(Page::LIMIT_MAX)).unwrap_or_default();
        let active = self
            .stores
            .credentials
            .list(
                admin.organization_id,
                admin.agent_id,
                Some(CredentialStatus::Active),
                page,
            )
            .await?;
        if wanted == AdminSecret::IfNone && active.total > 0 {
            return Ok(None);
        }
        for credential in &active.data {
            self.revoke(credential).await?;
        }
        self.generate(admin).await.map(Some)
    }

    async fn generate(&self, admin: &Agent) -> Result<Secret, StartError> {
        let now = self.machine.clock.now();
        let secrets = ClientSecrets::new(&*self.cluster.digest_key()?);
        let secret = ClientSecrets::mint(self.machine.entropy.as_ref());
        let credential = Credential {
            credential_id: CredentialId::mint(now, self.machine.entropy.as_ref()),
            organization_id: admin.organization_id,
            agent_id: admin.agent_id,
            status: CredentialStatus::Active,
            scopes: Some(ScopeSet::all()),
            created_at: now,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        let id = credential.credential_id.to_string();
        let stored = StoredCredential {
            digest: secrets.digest(&secret),
            credential,
            previous: None,
        };
        let replicate = vec![ReplicatedChange::AgentChanged(admin.agent_id)];
        let change = self.change(
            admin.organization_id,
            Some(admin.agent_id),
            Action::CredentialGenerated,
            &[("credentialId", &id)],
            replicate,
        );
        let entry = self.stores.credentials.create(&stored, &change).await?;
        self.replicate(&change, entry).await?;
        Ok(secret)
    }

    async fn revoke(&self, credential: &Credential) -> Result<(), StartError> {
        let now = self.machine.clock.now();
        let forget_at = now.plus(Organization::TOKEN_TTL_MAX * 2);
        let id = credential.credential_id;
        let replicate = vec![
            ReplicatedChange::Revoke(Revocation {
                subject: Subject::Credential(id),
                forget_at,
            }),
            ReplicatedChange::AgentChanged(credential.agent_id),
        ];
        let (organization, agent) = (credential.organization_id, credential.agent_id);
        let change = self.change(
            organization,
            Some(agent),
            Action::CredentialRevoked,
            &[("credentialId", &id.to_string())],
            replicate,
        );
        let entry = self.stores.credentials.revoke(organization, id, now, &change).await?;
        self.replicate(&change, entry).await
    }

    /// Puts a change in force and takes it from the outbox, so that the relay does not find it there and repeat it.
    async fn replicate(&self, change: &Change, entry: OutboxId) -> Result<(), StartError> {
        use domain::ports::Replication;
        let applied = self.cluster.apply(change.message.replicate.clone()).await;
        applied.map_err(|error| domain::ports::StoreError::Unavailable(error.to_string()))?;
        // Repeating it does no harm, and failing now would lose a secret that is shown once.
        if let Err(error) = self.stores.outbox.complete(&[entry]).await {
            tracing::debug!(%error, "the relay will repeat a change of the bootstrap");
        }
        Ok(())
    }

    fn change(
        &self,
        organization_id: OrganizationId,
        agent_id: Option<domain::AgentId>,
        action: Action,
        metadata: &[(&str, &str)],
        replicate: Vec<ReplicatedChange>,
    ) -> Change {
        let now: Timestamp = self.machine.clock.now();
        let audit = AuditRecord {
            event_id: EventId::mint(now, self.machine.entropy.as_ref()),
            organization_id,
            agent_id,
            action,
            outcome: Outcome::Success,
            origin: Origin {
                ip_address: None,
                user_agent: Some("agentidp bootstrap".to_owned()),
            },
            metadata: JsonText::object(metadata),
            timestamp: now,
        };
        Change {
            author: None,
            audit,
            message: OutboxMessage {
                organization_id,
                action,
                agent_id,
                replicate,
                occurred_at: now,
            },
        }
    }
}

fn administrator() -> NewAgent {
    NewAgent {
        email: ADMIN_EMAIL.parse().expect("the administrator's address is well formed"),
        agent_type: AgentType::Custom,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: Vec::new(),
        owner: "operator".to_owned(),
        deployment_env: DeploymentEnv::Production,
        is_public: false,
    }
}
