//! What the tests share: a real clock, real randomness, and a node in a folder of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cluster::{Bootstrap, ClusterConfig, ClusterError, ClusterNode, ClusterPorts, MasterKey, MasterKeys};
use domain::ports::{Clock, Entropy};
use domain::{
    AgentId, CredentialId, KeyId, KeyTerms, NewSigningKey, OrganizationId, ReplicatedChange, Revision, Revocation,
    SigningAlgorithm, Subject, Timestamp, TokenFacts, TokenFamily, TokenId,
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// A clock that runs with tokio's, and whose wall clock can be moved by hand.
pub struct TestClock {
    started: tokio::time::Instant,
    moved_by_ms: AtomicU64,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            started: tokio::time::Instant::now(),
            moved_by_ms: AtomicU64::new(0),
        })
    }

    /// Moves both clocks ahead.
    pub fn advance(&self, by: Duration) {
        self.moved_by_ms
            .fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000).plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.moved_by_ms.load(Ordering::SeqCst))
    }
}

/// How many nodes this process has started.
static STARTS: AtomicU64 = AtomicU64::new(0);

/// Bytes that never repeat, also when a node starts again in another process; unpredictable they need not be here.
pub struct TestEntropy(AtomicU64);

impl TestEntropy {
    pub fn new() -> Self {
        let start = u64::from(std::process::id()) << 16 | STARTS.fetch_add(1, Ordering::SeqCst);
        Self(AtomicU64::new(start << 24))
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self
                .0
                .fetch_add(1, Ordering::SeqCst)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&next.to_be_bytes()[..chunk.len()]);
        }
    }
}

pub fn master_keys(seed: u8) -> MasterKeys {
    let mut bytes = [seed; 32];
    bytes[31] = 1;
    MasterKeys::new(vec![MasterKey::from_bytes(&bytes).unwrap()]).unwrap()
}

pub fn ports() -> ClusterPorts {
    ports_with(TestClock::new())
}

pub fn ports_with(clock: Arc<TestClock>) -> ClusterPorts {
    ClusterPorts::new(clock, Arc::new(TestEntropy::new()), master_keys(7))
}

pub fn config(folder: &std::path::Path) -> ClusterConfig {
    ClusterConfig::new(1, folder)
}

pub async fn start(folder: &std::path::Path) -> Result<ClusterNode, ClusterError> {
    ClusterNode::start(config(folder), ports()).await
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A token whose ids are all `number`, issued when its issuer had seen `issued_at`.
pub fn token(number: u128, issued_at: Revision) -> TokenFacts {
    TokenFacts {
        token: TokenId(id(number)),
        family: TokenFamily(id(number)),
        credential: CredentialId(id(number)),
        agent: AgentId(id(number)),
        organization: OrganizationId(id(number)),
        issued_at,
    }
}

pub fn revoke(subject: Subject) -> ReplicatedChange {
    ReplicatedChange::Revoke(Revocation {
        subject,
        forget_at: Timestamp::from_seconds(1_900_000_000),
    })
}

pub fn revoke_token(number: u128) -> ReplicatedChange {
    revoke(Subject::Token(TokenId(id(number))))
}

pub fn signing_key(name: &str, algorithm: SigningAlgorithm) -> NewSigningKey {
    NewSigningKey {
        key_id: KeyId(name.to_owned()),
        algorithm,
        pkcs8: Zeroizing::new(format!("private half of {name}").into_bytes()),
        public_jwk: format!("{{\"kid\":\"{name}\"}}"),
    }
}

pub fn bootstrap() -> Bootstrap {
    Bootstrap {
        keys: vec![
            signing_key("ed", SigningAlgorithm::EdDsa),
            signing_key("es", SigningAlgorithm::Es256),
        ],
        digest_key: Zeroizing::new([9; 32]),
        terms: KeyTerms::DEFAULT,
    }
}
