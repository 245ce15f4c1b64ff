//! How long the parts of a token request take on this machine: `cargo run --release -p protocol --example figures`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]
#![allow(clippy::disallowed_methods, reason = "a measurement needs the machine's own clock")]

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::Ed25519KeyPair;
use domain::ports::Entropy;
use domain::{AgentId, CredentialId, Organization, OrganizationId, Revision, SigningAlgorithm, Timestamp};
use protocol::ClientSecrets;
use protocol::jose::{GeneratedKey, KeyRing, KeyUse, RingKey, generate_key};
use protocol::oauth::{Grant, TokenRequest};
use protocol::token::{Expectations, IssueContext, introspection, issue};

const ISSUER: &str = "https://id.example";
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// Cheap bytes that are never the same; what is measured is not the operating system.
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let value = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            chunk.copy_from_slice(&value.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Prints the best of many short rounds: one that no other work on the machine disturbed.
fn measure<T>(what: &str, mut work: impl FnMut() -> T) {
    const ROUNDS: u32 = 500;
    const CALLS: u32 = 10;
    let round = |work: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(work());
        }
        start.elapsed() / CALLS
    };
    let best = (0..ROUNDS).map(|_| round(&mut work)).min().unwrap_or(Duration::ZERO);
    println!("{what:<44} {:>9.2} us", best.as_secs_f64() * 1e6);
}

fn grant(algorithm: SigningAlgorithm, entropy: &Counter) -> Grant {
    Grant {
        organization: OrganizationId::mint(NOW, entropy),
        agent: AgentId::mint(NOW, entropy),
        credential: CredentialId::mint(NOW, entropy),
        scope: "agents:read tokens:read".parse().expect("known scopes"),
        audience: vec![],
        lifetime: Duration::from_secs(3600),
        algorithm,
        family: None,
        nonce: None,
    }
}

fn main() {
    let entropy = Counter(AtomicU64::new(1));
    let keys: Vec<GeneratedKey> = SigningAlgorithm::ALL
        .iter()
        .map(|algorithm| generate_key(*algorithm, &entropy).expect("a key"))
        .collect();
    let entries: Vec<RingKey<'_>> = keys
        .iter()
        .map(|key| RingKey {
            key_id: &key.key_id,
            algorithm: key.algorithm,
            key_use: KeyUse::Current,
            public_jwk: &key.public_jwk,
            pkcs8: Some(&key.pkcs8),
        })
        .collect();
    let ring = KeyRing::new(&entries).expect("three good keys");
    baseline(&keys[0], &entropy);
    requests(&entropy);
    for key in &keys {
        tokens(key.algorithm, &ring, &entropy);
    }
}

/// What nothing here can be faster than.
fn baseline(key: &GeneratedKey, entropy: &Counter) {
    let pair = Ed25519KeyPair::from_pkcs8(&key.pkcs8).expect("our own");
    let mut message = [0u8; 680];
    entropy.fill(&mut message);
    measure("a bare Ed25519 signature over 680 bytes", || pair.sign(&message));
}

fn requests(entropy: &Counter) {
    let secret = ClientSecrets::mint(entropy);
    let secrets = ClientSecrets::new(&[7; 32]);
    let id = AgentId::mint(NOW, entropy);
    let body = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={}&scope=agents%3Aread+tokens%3Aread",
        secret.expose()
    );
    measure("parse a token request", || {
        TokenRequest::parse(body.as_bytes(), None).is_ok()
    });
    measure("digest a client secret", || secrets.digest(&secret));
    let hostile = format!("{body}&{}", "x=1&".repeat(60_000));
    measure("refuse 240 KB of parameters", || {
        TokenRequest::parse(hostile.as_bytes(), None).is_err()
    });
    let scopes = format!("{body}&scope={}", "openid+".repeat(10_000));
    measure("refuse 10,000 scopes", || {
        TokenRequest::parse(scopes.as_bytes(), None).is_err()
    });
    measure("mint a client secret", || ClientSecrets::mint(entropy));
}

fn tokens(algorithm: SigningAlgorithm, ring: &KeyRing, entropy: &Counter) {
    let grant = grant(algorithm, entropy);
    let context = IssueContext {
        issuer: ISSUER,
        now: NOW,
        revision: Revision(7),
        lifetime_max: Organization::TOKEN_TTL_MAX,
        entropy,
    };
    let issued = issue(&grant, ring, &context).expect("issued");
    let token = issued.access_token.expose();
    let expect = Expectations {
        issuer: ISSUER,
        audience: Some(ISSUER),
        now: NOW,
    };
    println!("{algorithm}: a token of {} bytes", token.len());
    measure("  issue", || issue(&grant, ring, &context).is_ok());
    measure("  write the response", || issued.to_response_json());
    measure("  verify", || ring.verify_access_token(token, &expect).is_ok());
    measure("  check remembered claims", || expect.check(&issued.claims).is_ok());
    measure("  write the introspection answer", || {
        introspection::active(&issued.claims)
    });
    let forged = format!("{}A{}", &token[..token.len() - 10], &token[token.len() - 9..]);
    measure("  refuse a forged one", || {
        ring.verify_access_token(&forged, &expect).is_err()
    });
    let unknown = token.replacen("eyJ", "eyI", 1);
    measure("  refuse an unreadable one", || {
        ring.verify_access_token(&unknown, &expect).is_err()
    });
}
