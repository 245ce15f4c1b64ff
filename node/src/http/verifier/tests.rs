//! What is remembered of a token, and for how long.

use domain::ports::Entropy;
use domain::{
    AgentId, CredentialId, OrganizationId, Revision, ScopeSet, SigningAlgorithm, TokenFacts, TokenFamily, TokenId,
};
use protocol::jose::{GeneratedKey, KeyRing, KeyUse, RingKey, TokenType, generate_key};
use protocol::token::Audience;

use super::*;
use crate::app::Machine;

const ISSUER: &str = "https://id.example";

/// A replicated state in which nothing is revoked.
struct NothingRevoked;

impl RevocationView for NothingRevoked {
    fn revision(&self) -> Result<Revision, ReplicationError> {
        Ok(Revision(1))
    }

    fn is_revoked(&self, _token: &TokenFacts) -> Result<bool, ReplicationError> {
        Ok(false)
    }

    fn is_outdated(&self, _organization: OrganizationId, _agent: AgentId, _read_at: Revision) -> bool {
        false
    }
}

struct Fixture {
    machine: Machine,
    keys: Arc<Keys>,
    verifier: TokenVerifier,
}

impl Fixture {
    fn with(key: &GeneratedKey) -> Self {
        let (machine, keys) = (Machine::real(), Arc::new(Keys::new(ring_of(key))));
        let clock = machine.clock.clone();
        let verifier = TokenVerifier::new(ISSUER.to_owned(), keys.clone(), Arc::new(NothingRevoked), clock);
        Self {
            machine,
            keys,
            verifier,
        }
    }

    fn claims(&self) -> AccessTokenClaims {
        let (now, entropy) = (self.machine.clock.now(), self.machine.entropy.as_ref());
        let agent = AgentId::mint(now, entropy);
        AccessTokenClaims {
            iss: ISSUER.to_owned(),
            sub: agent,
            client_id: agent,
            aud: Audience::new(&[], ISSUER),
            scope: ScopeSet::EMPTY,
            jti: TokenId::mint(now, entropy),
            iat: now.as_seconds(),
            exp: now.as_seconds() + 600,
            nbf: None,
            organization_id: OrganizationId::mint(now, entropy),
            family: TokenFamily::mint(now, entropy),
            credential_id: CredentialId::mint(now, entropy),
            rev: Revision(1),
        }
    }

    fn sign(&self, claims: &AccessTokenClaims) -> String {
        let ring = self.keys.current();
        let signed = ring.ring.sign(SigningAlgorithm::EdDsa, TokenType::AccessToken, claims);
        signed.expect("the ring has a key that signs")
    }
}

fn new_key(entropy: &dyn Entropy) -> GeneratedKey {
    generate_key(SigningAlgorithm::EdDsa, entropy).expect("a key")
}

fn ring_of(key: &GeneratedKey) -> KeyRing {
    let key = RingKey {
        key_id: &key.key_id,
        algorithm: key.algorithm,
        key_use: KeyUse::Current,
        public_jwk: &key.public_jwk,
        pkcs8: Some(key.pkcs8.as_slice()),
    };
    KeyRing::new(&[key]).expect("one good key")
}

#[test]
fn a_token_that_was_verified_dies_with_the_key_that_signed_it() {
    let entropy = Machine::real().entropy;
    let fixture = Fixture::with(&new_key(entropy.as_ref()));
    let token = fixture.sign(&fixture.claims());
    assert!(fixture.verifier.verify_any(&token).is_ok());
    assert!(fixture.verifier.verify_any(&token).is_ok(), "it is remembered");
    fixture.keys.replace(ring_of(&new_key(entropy.as_ref())));
    let refused = fixture.verifier.verify_any(&token);
    assert!(matches!(refused, Err(VerificationError::Refused(Refusal::Rejected(_)))));
}

#[test]
fn a_token_that_was_issued_here_dies_with_the_key_that_signed_it() {
    let entropy = Machine::real().entropy;
    let fixture = Fixture::with(&new_key(entropy.as_ref()));
    let (claims, ring) = (fixture.claims(), fixture.keys.current());
    let token = fixture.sign(&claims);
    fixture.keys.replace(ring_of(&new_key(entropy.as_ref())));
    fixture.verifier.on_issued(&token, claims, &ring);
    let refused = fixture.verifier.verify_any(&token);
    assert!(matches!(refused, Err(VerificationError::Refused(Refusal::Rejected(_)))));
}

#[test]
fn what_is_known_of_a_token_issued_here_vouches_for_no_other_text() {
    let entropy = Machine::real().entropy;
    let fixture = Fixture::with(&new_key(entropy.as_ref()));
    let (claims, ring) = (fixture.claims(), fixture.keys.current());
    let token = fixture.sign(&claims);
    fixture.verifier.on_issued(&token, claims, &ring);
    assert!(fixture.verifier.verify_any(&token).is_ok());
    let cut = token.rsplit_once('.').expect("three parts").0;
    assert!(fixture.verifier.verify_any(&format!("{cut}.")).is_err());
}
