//! What is issued, read back by ourselves and by libraries that we did not write.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Organization, ScopeSet, SigningAlgorithm};
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::jose::TokenRejection;
use crate::test_support::{AGENT, CREDENTIAL, ISSUER, NOW, ORGANIZATION, Seeded, keys, ring};
use crate::token::Expectations;

fn grant(algorithm: SigningAlgorithm, scope: &str) -> Grant {
    Grant {
        organization: ORGANIZATION,
        agent: AGENT,
        credential: CREDENTIAL,
        scope: scope.parse().expect("known scopes"),
        audience: vec![],
        lifetime: Duration::from_secs(3600),
        algorithm,
        family: None,
        nonce: None,
    }
}

fn issued(grant: &Grant) -> IssuedToken {
    let entropy = Seeded::new(5);
    let ctx = IssueContext {
        issuer: ISSUER,
        now: NOW,
        revision: Revision(42),
        lifetime_max: Organization::TOKEN_TTL_MAX,
        entropy: &entropy,
    };
    issue(grant, &ring(), &ctx).expect("issued")
}

const EXPECT: Expectations<'_> = Expectations {
    issuer: ISSUER,
    audience: Some(ISSUER),
    now: NOW,
};

fn segment(token: &str, position: usize) -> Value {
    let text = token.split('.').nth(position).expect("three segments");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}

/// Read by `jsonwebtoken`, with the key as it is published.
fn read_by_jsonwebtoken(token: &str, algorithm: SigningAlgorithm, audience: &str) -> Value {
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(ring().jwks()).expect("a key set");
    let header = jsonwebtoken::decode_header(token).expect("a header");
    let jwk = set.find(header.kid.as_deref().expect("a kid")).expect("published");
    let mut validation = jsonwebtoken::Validation::new(algorithm.as_str().parse().expect("known"));
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The token lives in the test's own time.
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).expect("a key");
    jsonwebtoken::decode::<Value>(token, &key, &validation)
        .expect("verifies")
        .claims
}

#[test]
fn an_access_token_of_every_algorithm_is_read_by_us_and_by_jsonwebtoken() {
    for algorithm in SigningAlgorithm::ALL {
        let issued = issued(&grant(*algorithm, "agents:read"));
        let token = issued.access_token.expose();
        assert_eq!(ring().verify_access_token(token, &EXPECT), Ok(issued.claims.clone()));
        let read = read_by_jsonwebtoken(token, *algorithm, ISSUER);
        assert_eq!(read, serde_json::to_value(&issued.claims).expect("serializes"));
        assert_eq!(segment(token, 0)["typ"], "at+jwt");
        assert_eq!(segment(token, 0)["alg"], algorithm.as_str());
    }
}

#[test]
fn an_ed25519_token_passes_the_strict_verification_of_ed25519_dalek() {
    let issued = issued(&grant(SigningAlgorithm::EdDsa, "agents:read"));
    let token = issued.access_token.expose();
    let (signed, signature) = token.rsplit_once('.').expect("three segments");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let signature = ed25519_dalek::Signature::from_slice(&signature).expect("64 bytes");
    let jwk: Value = serde_json::from_str(&keys()[0].public_jwk).expect("a JWK");
    let x = URL_SAFE_NO_PAD
        .decode(jwk["x"].as_str().expect("x"))
        .expect("base64url");
    let key = ed25519_dalek::VerifyingKey::from_bytes(&x.try_into().expect("32 bytes")).expect("a point");
    assert!(key.verify_strict(signed.as_bytes(), &signature).is_ok());
}

#[test]
fn the_claims_follow_from_grant_and_context() {
    let mut grant = grant(SigningAlgorithm::EdDsa, "agents:read tokens:read");
    grant.family = Some(TokenFamily(Uuid::from_u128(77)));
    grant.lifetime = Duration::from_secs(60);
    let claims = issued(&grant).claims;
    assert_eq!((claims.sub, claims.client_id), (AGENT, AGENT));
    assert_eq!(
        (claims.organization_id, claims.credential_id),
        (ORGANIZATION, CREDENTIAL)
    );
    assert_eq!(
        (claims.family, claims.rev),
        (TokenFamily(Uuid::from_u128(77)), Revision(42))
    );
    assert_eq!((claims.iat, claims.exp), (NOW.as_seconds(), NOW.as_seconds() + 60));
    assert_eq!(claims.aud.as_slice(), [ISSUER]);
    assert_eq!(claims.jti.0.get_version_num(), 7);
    assert_eq!(claims.scope.to_string(), "agents:read tokens:read");
}

#[test]
fn no_token_outlives_the_key_that_signed_it() {
    let entropy = Seeded::new(5);
    let ctx = IssueContext {
        issuer: ISSUER,
        now: NOW,
        revision: Revision(42),
        lifetime_max: Duration::from_secs(90),
        entropy: &entropy,
    };
    let long = grant(SigningAlgorithm::EdDsa, "openid");
    assert!(long.lifetime > ctx.lifetime_max);
    let issued = issue(&long, &ring(), &ctx).expect("issued");
    assert_eq!((issued.expires_in, issued.claims.exp - issued.claims.iat), (90, 90));
    let short = Grant {
        lifetime: Duration::from_secs(60),
        ..long
    };
    assert_eq!(issue(&short, &ring(), &ctx).expect("issued").expires_in, 60);
}

#[test]
fn every_token_has_an_id_and_a_family_of_its_own() {
    let entropy = Seeded::new(1);
    let grant = grant(SigningAlgorithm::EdDsa, "openid");
    let ctx = IssueContext {
        issuer: ISSUER,
        now: NOW,
        revision: Revision(1),
        lifetime_max: Organization::TOKEN_TTL_MAX,
        entropy: &entropy,
    };
    let mut ids = HashSet::new();
    for _ in 0..20 {
        let issued = issue(&grant, &ring(), &ctx).expect("issued");
        assert!(ids.insert(issued.claims.jti.0) && ids.insert(issued.claims.family.0));
    }
}

#[test]
fn resources_become_the_audience_and_shut_the_issuer_out() {
    let mut one = grant(SigningAlgorithm::EdDsa, "agents:read");
    one.audience = vec!["urn:a".into()];
    let token = issued(&one).access_token;
    assert_eq!(segment(token.expose(), 1)["aud"], "urn:a");
    let refused = ring().verify_access_token(token.expose(), &EXPECT);
    assert_eq!(refused, Err(TokenRejection::WrongAudience));

    let mut many = grant(SigningAlgorithm::EdDsa, "agents:read");
    many.audience = vec!["urn:a".into(), "urn:b".into()];
    let token = issued(&many).access_token;
    assert_eq!(segment(token.expose(), 1)["aud"], serde_json::json!(["urn:a", "urn:b"]));
    read_by_jsonwebtoken(token.expose(), SigningAlgorithm::EdDsa, "urn:b");
}

#[test]
fn the_longest_token_that_a_request_can_ask_for_is_accepted() {
    let mut grant = grant(SigningAlgorithm::Rs256, "openid");
    grant.scope = ScopeSet::all();
    grant.audience = (0..8).map(|n| format!("urn:{n}:{}", "x".repeat(506))).collect();
    grant.nonce = Some("\u{1}".repeat(512));
    let issued = issued(&grant);
    let anyone = Expectations {
        audience: None,
        ..EXPECT
    };
    assert_eq!(
        ring().verify_access_token(issued.access_token.expose(), &anyone),
        Ok(issued.claims)
    );
}

#[test]
fn an_id_token_comes_with_openid_and_carries_the_nonce() {
    assert!(
        issued(&grant(SigningAlgorithm::EdDsa, "agents:read"))
            .id_token
            .is_none()
    );
    for algorithm in SigningAlgorithm::ALL {
        let mut grant = grant(*algorithm, "openid");
        grant.nonce = Some("n\"1".into());
        let issued = issued(&grant);
        let token = issued.id_token.expect("openid was granted");
        let claims = read_by_jsonwebtoken(token.expose(), *algorithm, &AGENT.to_string());
        assert_eq!(
            (claims["nonce"].as_str(), claims["sub"].as_str()),
            (Some("n\"1"), Some(AGENT.to_string().as_str()))
        );
        assert_eq!(claims["exp"], issued.claims.exp);
        assert_ne!(claims["jti"], issued.claims.jti.to_string());
        assert_eq!(segment(token.expose(), 0)["typ"], "JWT");
    }
}

#[test]
fn an_id_token_is_no_access_token() {
    let token = issued(&grant(SigningAlgorithm::EdDsa, "openid"))
        .id_token
        .expect("openid was granted");
    assert_eq!(
        ring().verify_access_token(token.expose(), &EXPECT),
        Err(TokenRejection::WrongType)
    );
}

#[test]
fn without_a_key_for_the_algorithm_nothing_is_issued() {
    let empty = KeyRing::new(&[]).expect("an empty ring");
    let entropy = Seeded::new(1);
    let ctx = IssueContext {
        issuer: ISSUER,
        now: NOW,
        revision: Revision(1),
        lifetime_max: Organization::TOKEN_TTL_MAX,
        entropy: &entropy,
    };
    let error = issue(&grant(SigningAlgorithm::Es256, "openid"), &empty, &ctx).err();
    assert_eq!(error, Some(JoseError::NoCurrentKey(SigningAlgorithm::Es256)));
}
