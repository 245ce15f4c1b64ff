//! Tokens that must be refused, and those of another library that must not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::SigningAlgorithm;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::jose::{GeneratedKey, KeyUse, generate_key, low_s};
use crate::test_support::{ISSUER, NOW, Seeded, keys, ring, ring_key};
use crate::token::claims::tests::claims;

const EXPECT: Expectations<'_> = Expectations {
    issuer: ISSUER,
    audience: Some(ISSUER),
    now: NOW,
};

fn verify(token: &str) -> Result<AccessTokenClaims, TokenRejection> {
    ring().verify_access_token(token, &EXPECT)
}

fn signed(claims: &Value) -> String {
    ring()
        .sign(SigningAlgorithm::EdDsa, TokenType::AccessToken, claims)
        .expect("signs")
}

fn genuine() -> String {
    signed(&json!(claims()))
}

fn with(member: &str, value: Value) -> String {
    let mut claims = json!(claims());
    claims[member] = value;
    signed(&claims)
}

/// A token that jsonwebtoken makes with this key and this header.
fn made_elsewhere(key: &GeneratedKey, header: &Header) -> String {
    let encoding = match key.algorithm {
        SigningAlgorithm::EdDsa => EncodingKey::from_ed_der(&key.pkcs8),
        SigningAlgorithm::Es256 => EncodingKey::from_ec_der(&key.pkcs8),
        SigningAlgorithm::Rs256 => EncodingKey::from_rsa_der(&pkcs1(&key.pkcs8)),
    };
    jsonwebtoken::encode(header, &claims(), &encoding).expect("encodes")
}

/// The same token with its signature changed by `change`.
fn resigned(token: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("three segments");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    change(&mut signature);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The RSAPrivateKey inside a PKCS#8 document: what jsonwebtoken wants. It follows the 26 bytes that say "RSA".
fn pkcs1(pkcs8: &[u8]) -> Vec<u8> {
    pkcs8[26..].to_vec()
}

fn header_of(key: &GeneratedKey) -> Header {
    let mut header = Header::new(key.algorithm.as_str().parse().expect("known"));
    header.typ = Some("at+jwt".into());
    header.kid = Some(key.key_id.0.clone());
    header
}

/// A token with any header, signed with the real Ed25519 key.
fn with_header(header: &Value) -> String {
    with_header_text(&header.to_string())
}

fn with_header_text(header: &str) -> String {
    let payload = genuine().split('.').nth(1).expect("three segments").to_owned();
    let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(&keys()[0].pkcs8).expect("our own");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()).as_ref());
    format!("{signed}.{signature}")
}

#[test]
fn tokens_that_jsonwebtoken_makes_with_our_keys_are_accepted() {
    for key in keys() {
        let token = made_elsewhere(key, &header_of(key));
        // jsonwebtoken writes either of the two forms of an ES256 signature; we have one.
        let token = match key.algorithm {
            SigningAlgorithm::Es256 => resigned(&token, |signature| low_s::make_low(signature)),
            _ => token,
        };
        assert_eq!(verify(&token), Ok(claims()));
    }
}

#[test]
fn an_es256_token_had_a_second_text_that_was_accepted_too() {
    let key = keys().iter().find(|key| key.algorithm == SigningAlgorithm::Es256);
    let key = key.expect("there is one of each");
    for _ in 0..64 {
        let token = ring()
            .sign(SigningAlgorithm::Es256, TokenType::AccessToken, &claims())
            .expect("signs");
        assert_eq!(verify(&token), Ok(claims()));
        let second = resigned(&token, |signature| low_s::negate(&mut signature[32..]));
        assert_ne!(second, token);
        assert_eq!(verify(&second), Err(TokenRejection::BadSignature));
        // It is one that verifies by RFC 7518 alone, so it is the form that is refused and nothing else.
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(&key.public_jwk).expect("a JWK");
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key");
        let (signed, signature) = second.rsplit_once('.').expect("three segments");
        let verified = jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &decoding, Algorithm::ES256);
        assert_eq!(verified.ok(), Some(true));
    }
}

#[test]
fn a_key_that_is_not_in_the_ring_is_refused_even_under_a_known_name() {
    let stranger = generate_key(SigningAlgorithm::EdDsa, &Seeded::new(99)).expect("generated");
    let under_its_name = made_elsewhere(&stranger, &header_of(&stranger));
    assert_eq!(verify(&under_its_name), Err(TokenRejection::UnknownKey));
    let under_ours = made_elsewhere(&stranger, &header_of(&keys()[0]));
    assert_eq!(verify(&under_ours), Err(TokenRejection::BadSignature));
}

#[test]
fn a_key_is_only_used_with_its_own_algorithm() {
    for key in keys() {
        for other in keys().iter().filter(|other| other.key_id != key.key_id) {
            let mut header = header_of(key);
            header.kid = Some(other.key_id.0.clone());
            assert_eq!(
                verify(&made_elsewhere(key, &header)),
                Err(TokenRejection::WrongAlgorithm)
            );
        }
    }
}

#[test]
fn hmac_with_a_public_key_as_its_secret_is_refused() {
    for key in keys() {
        for secret in [key.public_jwk.as_bytes(), key.key_id.0.as_bytes()] {
            let mut header = header_of(key);
            header.alg = Algorithm::HS256;
            let forged = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).expect("encodes");
            assert_eq!(verify(&forged), Err(TokenRejection::WrongAlgorithm));
        }
    }
}

#[test]
fn the_algorithm_none_is_refused_in_any_spelling() {
    let key = &keys()[0].key_id.0;
    for alg in ["none", "None", "NONE", "", "eddsa", "EdDSA "] {
        let token = with_header(&json!({"alg": alg, "typ": "at+jwt", "kid": key}));
        assert_eq!(verify(&token), Err(TokenRejection::WrongAlgorithm), "{alg:?}");
        let unsigned = &token[..=token.rfind('.').expect("three segments")];
        assert_eq!(verify(unsigned), Err(TokenRejection::WrongAlgorithm), "{alg:?}");
    }
    let token = genuine();
    let unsigned = &token[..=token.rfind('.').expect("three segments")];
    assert_eq!(verify(unsigned), Err(TokenRejection::BadSignature));
}

#[test]
fn the_kid_must_be_there_and_known() {
    for header in [
        json!({"alg": "EdDSA", "typ": "at+jwt"}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": null}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": ""}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "../../dev/null"}),
    ] {
        assert_eq!(
            verify(&with_header(&header)),
            Err(TokenRejection::UnknownKey),
            "{header}"
        );
    }
}

#[test]
fn a_key_in_the_header_is_not_looked_at() {
    let stranger = generate_key(SigningAlgorithm::EdDsa, &Seeded::new(99)).expect("generated");
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(&stranger.public_jwk).expect("a JWK");
    let mut header = header_of(&keys()[0]);
    header.jwk = Some(jwk);
    assert_eq!(
        verify(&made_elsewhere(&stranger, &header)),
        Err(TokenRejection::BadSignature)
    );
}

#[test]
fn other_types_and_extensions_are_refused_although_the_signature_is_right() {
    let key = &keys()[0].key_id.0;
    let accepted = json!({"alg": "EdDSA", "typ": "application/AT+jwt", "kid": key, "jku": "https://evil.example"});
    assert_eq!(verify(&with_header(&accepted)), Ok(claims()));
    for typ in [json!("JWT"), json!("dpop+jwt"), json!(null)] {
        let token = with_header(&json!({"alg": "EdDSA", "typ": typ, "kid": key}));
        assert_eq!(verify(&token), Err(TokenRejection::WrongType));
    }
    for extension in ["crit", "b64", "zip"] {
        let token = with_header(&json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key, extension: ["exp"]}));
        assert_eq!(verify(&token), Err(TokenRejection::UnsupportedHeader));
    }
    let twice = format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{key}","alg":"EdDSA"}}"#);
    assert_eq!(verify(&with_header_text(&twice)), Err(TokenRejection::Malformed));
}

#[test]
fn a_token_lives_until_the_second_in_which_it_expires() {
    let at = |millis| {
        let now = Timestamp::from_millis(claims().exp * 1000 + millis);
        ring().verify_access_token(&genuine(), &Expectations { now, ..EXPECT })
    };
    assert_eq!(at(-1), Ok(claims()));
    assert_eq!(at(0), Err(TokenRejection::Expired));
    assert_eq!(verify(&with("exp", json!(i64::MIN))), Err(TokenRejection::Expired));
    assert!(verify(&with("exp", json!(i64::MAX))).is_ok());
}

#[test]
fn a_token_from_further_in_the_future_than_clocks_differ_is_refused() {
    let at = |seconds: i64| json!(NOW.as_seconds() + seconds);
    let leeway = i64::try_from(CLOCK_LEEWAY.as_secs()).expect("small");
    for claim in ["iat", "nbf"] {
        assert!(verify(&with(claim, at(leeway))).is_ok());
        assert_eq!(verify(&with(claim, at(leeway + 1))), Err(TokenRejection::NotYetValid));
        assert_eq!(verify(&with(claim, json!(i64::MAX))), Err(TokenRejection::NotYetValid));
    }
    assert!(verify(&with("nbf", json!(i64::MIN))).is_ok());
    let mut both = json!(claims());
    both["nbf"] = json!(0);
    both["iat"] = at(leeway + 1);
    assert_eq!(verify(&signed(&both)), Err(TokenRejection::NotYetValid));
}

#[test]
fn another_issuer_and_another_audience_are_refused() {
    for issuer in ["https://id.example/", "https://ID.example", "", "https://evil.example"] {
        assert_eq!(verify(&with("iss", json!(issuer))), Err(TokenRejection::WrongIssuer));
    }
    for audience in [json!("urn:a"), json!(["urn:a", "urn:b"])] {
        let token = with("aud", audience);
        assert_eq!(verify(&token), Err(TokenRejection::WrongAudience));
        let anyone = Expectations {
            audience: None,
            ..EXPECT
        };
        assert!(ring().verify_access_token(&token, &anyone).is_ok());
    }
    assert!(verify(&with("aud", json!(["urn:a", ISSUER]))).is_ok());
}

#[test]
fn claims_of_another_type_are_malformed_although_the_signature_is_right() {
    for (member, value) in [
        ("exp", json!(1_700_003_600.5)),
        ("exp", json!("1700003600")),
        ("exp", json!(null)),
        ("iat", json!(1e300)),
        ("nbf", json!("now")),
        ("sub", json!("not-a-uuid")),
        ("scope", json!("root")),
        ("aud", json!([])),
        ("rev", json!(-1)),
    ] {
        assert_eq!(
            verify(&with(member, value.clone())),
            Err(TokenRejection::Malformed),
            "{member}: {value}"
        );
    }
    for payload in [json!(null), json!([]), json!({}), json!("x")] {
        assert_eq!(verify(&signed(&payload)), Err(TokenRejection::Malformed));
    }
}

#[test]
fn every_change_of_one_character_is_refused() {
    let ring = ring();
    for algorithm in SigningAlgorithm::ALL {
        let token = ring.sign(*algorithm, TokenType::AccessToken, &claims()).expect("signs");
        assert!(ring.verify_access_token(&token, &EXPECT).is_ok());
        for position in 0..token.len() {
            for replacement in ['A', 'B', 'z', '_', '.', '='] {
                let mut changed = token.clone();
                changed.replace_range(position..=position, replacement.encode_utf8(&mut [0; 4]));
                if changed != token {
                    assert!(
                        ring.verify_access_token(&changed, &EXPECT).is_err(),
                        "{algorithm} {position}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_last_character_of_the_signature_has_one_spelling() {
    // It carries only some bits; a lenient decoder would take several characters for the same bytes.
    let token = genuine();
    let body = &token[..token.len() - 1];
    let accepted = ('\u{20}'..'\u{7f}').filter(|last| verify(&format!("{body}{last}")).is_ok());
    assert_eq!(accepted.collect::<String>(), token[body.len()..]);
}

#[test]
fn cut_lengthened_and_re_dotted_tokens_are_refused() {
    let token = genuine();
    for end in 0..token.len() {
        assert!(verify(&token[..end]).is_err());
    }
    let (signed, signature) = token.rsplit_once('.').expect("three segments");
    for changed in [
        format!("{token}A"),
        format!("{token}="),
        format!("{token}."),
        format!("{token} "),
        format!(" {token}"),
        format!(".{token}"),
        format!("{signed}..{signature}"),
        format!("{signed}.{signature}.{signature}"),
        format!("Bearer {token}"),
        format!("{token}\0"),
        token.repeat(20),
    ] {
        assert!(verify(&changed).is_err(), "{changed}");
    }
}

#[test]
fn an_empty_ring_accepts_nothing() {
    let empty = KeyRing::new(&[]).expect("an empty ring");
    assert_eq!(
        empty.verify_access_token(&genuine(), &EXPECT),
        Err(TokenRejection::UnknownKey)
    );
    let published = KeyRing::new(&[ring_key(&keys()[0], KeyUse::Next)]).expect("one good key");
    assert!(published.verify_access_token(&genuine(), &EXPECT).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_refused_without_panic(text in ".{0,120}", segments in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
        prop_assert!(verify(&text).is_err());
        prop_assert!(verify(&segments).is_err());
    }

    #[test]
    fn any_header_is_refused_or_belongs_to_a_genuine_token(header in proptest::collection::vec(any::<u8>(), 0..60)) {
        let token = genuine();
        let (_, rest) = token.split_once('.').expect("three segments");
        let changed = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
        prop_assert!(verify(&changed).is_err());
    }

    #[test]
    fn a_token_is_accepted_exactly_in_its_time(iat in -9_000i64..9_000, nbf in proptest::option::of(-9_000i64..9_000), exp in -9_000i64..9_000) {
        let at = |seconds: i64| NOW.as_seconds() + seconds;
        let mut changed = json!(claims());
        (changed["iat"], changed["exp"]) = (json!(at(iat)), json!(at(exp)));
        if let Some(nbf) = nbf {
            changed["nbf"] = json!(at(nbf));
        }
        // What was remembered of a token is held against the present in the same way as what is read anew.
        let remembered: AccessTokenClaims = serde_json::from_value(changed.clone()).expect("claims");
        let leeway = i64::try_from(CLOCK_LEEWAY.as_secs()).expect("small");
        let is_in_time = exp > 0 && iat <= leeway && nbf.is_none_or(|nbf| nbf <= leeway);
        prop_assert_eq!(EXPECT.check(&remembered).is_ok(), is_in_time);
        prop_assert_eq!(verify(&signed(&changed)).is_ok(), is_in_time);
    }

    #[test]
    fn any_signed_payload_is_read_or_refused(members in proptest::collection::btree_map("[a-z_]{2,8}", any::<i64>(), 0..5)) {
        let _ = verify(&signed(&json!(members)));
        let mut changed = json!(claims());
        for (member, value) in members {
            changed[member] = json!(value);
        }
        let _ = verify(&signed(&changed));
    }
}
