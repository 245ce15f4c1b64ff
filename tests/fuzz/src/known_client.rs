//! The one client that exists for the targets: an agent with one credential whose secret the seeds know.

use domain::{
    Agent, AgentId, AgentStatus, AgentType, ClientRecord, Credential, CredentialId, CredentialStatus, DeploymentEnv,
    NewAgent, Organization, OrganizationId, ScopeSet, Secret, StoredCredential, Timestamp,
};
use protocol::ClientSecrets;
use uuid::Uuid;

/// The present.
pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_500);
/// The client.
pub const AGENT: AgentId = AgentId(Uuid::from_u128(0x0192_f0c1_2b3d_7a4e_8f00_0000_0000_00a1));
/// Its organization.
pub const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(0x0192_f0c1_2b3d_7a4e_8f00_0000_0000_00b1));
/// Its credential.
pub const CREDENTIAL: CredentialId = CredentialId(Uuid::from_u128(0x0192_f0c1_2b3d_7a4e_8f00_0000_0000_00c1));
/// What opens the credential. Short, so that the fuzzer keeps it whole.
pub const SECRET: &str = "sk_live_fuzz";

/// The installation's digest key.
pub fn secrets() -> ClientSecrets {
    ClientSecrets::new(&[7; 32])
}

/// The client's record; its credential may be narrowed and its agent may have any status.
pub fn record(scopes: Option<ScopeSet>, status: AgentStatus) -> ClientRecord {
    let credential = Credential {
        credential_id: CREDENTIAL,
        organization_id: ORGANIZATION,
        agent_id: AGENT,
        status: CredentialStatus::Active,
        scopes,
        created_at: Timestamp::EPOCH,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    let digest = secrets().digest(&Secret::new(SECRET));
    ClientRecord {
        organization: Organization::new(ORGANIZATION, "Acme", "acme", Timestamp::EPOCH),
        agent: Agent { status, ..agent() },
        credentials: vec![StoredCredential {
            credential,
            digest,
            previous: None,
        }],
    }
}

fn agent() -> Agent {
    let new = NewAgent {
        email: "monitor@agents.example".parse().expect("a valid address"),
        agent_type: AgentType::Monitor,
        version: "1.0.0".into(),
        capabilities: vec![],
        owner: "team".into(),
        deployment_env: DeploymentEnv::Staging,
        is_public: false,
    };
    new.register(AGENT, ORGANIZATION, Timestamp::EPOCH)
}
