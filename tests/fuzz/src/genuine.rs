//! The installation's keys and the tokens that it has signed.

use std::time::Duration;

use domain::ports::Entropy;
use domain::{Revision, ScopeSet, SigningAlgorithm};
use protocol::jose::{GeneratedKey, KeyRing, KeyUse, RingKey, generate_key};
use protocol::oauth::Grant;
use protocol::token::{IssueContext, issue};

use crate::known_client::{AGENT, CREDENTIAL, NOW, ORGANIZATION};

/// The installation.
pub const ISSUER: &str = "https://id.example";

/// What the target knows.
pub struct Installation {
    /// Three current keys, one published ahead, one retired.
    pub ring: KeyRing,
    /// Access tokens, alive at [`NOW`].
    pub access_tokens: Vec<String>,
    /// ID tokens of the same keys.
    pub id_tokens: Vec<String>,
}

impl Installation {
    /// Makes keys and signs with them. Ed25519 and P-256 keys are the same in every run; the RSA key is not.
    pub fn new() -> Self {
        let current: Vec<GeneratedKey> = SigningAlgorithm::ALL
            .iter()
            .map(|algorithm| key(*algorithm, 1))
            .collect();
        let next = key(SigningAlgorithm::EdDsa, 2);
        let retired = key(SigningAlgorithm::EdDsa, 3);
        let mut entries: Vec<RingKey<'_>> = current.iter().map(|key| entry(key, KeyUse::Current)).collect();
        entries.extend([entry(&next, KeyUse::Next), entry(&retired, KeyUse::Retired)]);
        let ring = KeyRing::new(&entries).expect("good keys");
        let formerly = KeyRing::new(&[entry(&retired, KeyUse::Current)]).expect("a good key");

        let mut installation = Self {
            ring,
            access_tokens: Vec::new(),
            id_tokens: Vec::new(),
        };
        for algorithm in SigningAlgorithm::ALL {
            for resources in [&[][..], &["https://tools.example"], &[ISSUER, "urn:x:y"]] {
                let (access, id) = signed(&installation.ring, *algorithm, resources);
                installation.keep(access, id);
            }
        }
        let (access, id) = signed(&formerly, SigningAlgorithm::EdDsa, &[]);
        installation.keep(access, id);
        installation
    }

    fn keep(&mut self, access: String, id: String) {
        self.access_tokens.push(access);
        self.id_tokens.push(id);
    }
}

fn signed(ring: &KeyRing, algorithm: SigningAlgorithm, resources: &[&str]) -> (String, String) {
    let grant = Grant {
        organization: ORGANIZATION,
        agent: AGENT,
        credential: CREDENTIAL,
        scope: ScopeSet::all(),
        audience: resources.iter().map(ToString::to_string).collect(),
        lifetime: Duration::from_secs(3600),
        algorithm,
        family: None,
        nonce: None,
    };
    let context = IssueContext {
        issuer: ISSUER,
        now: NOW,
        revision: Revision(7),
        entropy: &Repeated(9),
    };
    let issued = issue(&grant, ring, &context).expect("a current key of every algorithm");
    let id = issued.id_token.expect("openid was granted");
    (issued.access_token.expose().to_owned(), id.expose().to_owned())
}

fn key(algorithm: SigningAlgorithm, seed: u8) -> GeneratedKey {
    generate_key(algorithm, &Repeated(seed)).expect("generated")
}

fn entry(key: &GeneratedKey, key_use: KeyUse) -> RingKey<'_> {
    RingKey {
        key_id: &key.key_id,
        algorithm: key.algorithm,
        key_use,
        public_jwk: &key.public_jwk,
        pkcs8: Some(&key.pkcs8),
    }
}

/// One byte, for ever: keys and tokens that are the same in every run.
struct Repeated(u8);

impl Entropy for Repeated {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}
