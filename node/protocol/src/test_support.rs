//! What the unit tests share: an installation's digest key and a client with one credential.

use domain::ports::Entropy;
use domain::{
    Agent, AgentId, AgentStatus, AgentType, ClientRecord, Credential, CredentialId, CredentialStatus, DeploymentEnv,
    NewAgent, Organization, OrganizationId, Secret, SigningAlgorithm, StoredCredential, Timestamp,
};
use uuid::Uuid;

use crate::client_secrets::ClientSecrets;
use crate::jose::{GeneratedKey, KeyRing, KeyUse, RingKey, generate_key};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_500);
pub(crate) const AGENT: AgentId = AgentId(Uuid::from_u128(0x0192_f0c1_2b3d_7a4e_8f00_0000_0000_00a1));
pub(crate) const ORGANIZATION: OrganizationId =
    OrganizationId(Uuid::from_u128(0x0192_f0c1_2b3d_7a4e_8f00_0000_0000_00b1));
pub(crate) const CREDENTIAL: CredentialId = CredentialId(Uuid::from_u128(0x0192_f0c1_2b3d_7a4e_8f00_0000_0000_00c1));
pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const SECRET: &str = "sk_live_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) fn secrets() -> ClientSecrets {
    ClientSecrets::new(&[7; 32])
}

/// An active agent of an active organization with one credential that [`SECRET`] opens.
pub(crate) fn record() -> ClientRecord {
    ClientRecord {
        organization: Organization::new(ORGANIZATION, "Acme", "acme", Timestamp::EPOCH),
        agent: agent(),
        credentials: vec![credential(CREDENTIAL, SECRET)],
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
    Agent {
        status: AgentStatus::Active,
        ..new.register(AGENT, ORGANIZATION, Timestamp::EPOCH)
    }
}

pub(crate) fn credential(credential_id: CredentialId, secret: &str) -> StoredCredential {
    StoredCredential {
        credential: Credential {
            credential_id,
            organization_id: ORGANIZATION,
            agent_id: AGENT,
            status: CredentialStatus::Active,
            scopes: None,
            created_at: Timestamp::EPOCH,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        },
        digest: secrets().digest(&Secret::new(secret)),
        previous: None,
    }
}

/// Reproducible bytes (SplitMix64); every instance with one seed gives the same.
pub(crate) struct Seeded(std::sync::atomic::AtomicU64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.into())
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks_mut(8) {
            let mut z = self
                .0
                .fetch_add(STEP, std::sync::atomic::Ordering::Relaxed)
                .wrapping_add(STEP);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// One key of each algorithm, the same for every test of a run: an RSA key takes long to make.
pub(crate) fn keys() -> &'static [GeneratedKey] {
    static KEYS: std::sync::OnceLock<Vec<GeneratedKey>> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| {
        let make = |algorithm| generate_key(algorithm, &Seeded::new(1)).expect("generated");
        SigningAlgorithm::ALL.iter().copied().map(make).collect()
    })
}

/// A key as it stands in a ring.
pub(crate) fn ring_key(key: &GeneratedKey, key_use: KeyUse) -> RingKey<'_> {
    RingKey {
        key_id: &key.key_id,
        algorithm: key.algorithm,
        key_use,
        public_jwk: &key.public_jwk,
        pkcs8: Some(&key.pkcs8),
    }
}

/// A ring with the current keys of [`keys`].
pub(crate) fn ring() -> KeyRing {
    let entries: Vec<RingKey<'_>> = keys().iter().map(|key| ring_key(key, KeyUse::Current)).collect();
    KeyRing::new(&entries).expect("three good keys")
}
