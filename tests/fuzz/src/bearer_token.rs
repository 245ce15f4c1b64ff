//! Bearer tokens: whatever is presented, only what the ring has signed verifies, and only within its claims.
//!
//! The first byte of an input says how the rest becomes a token, because random bytes never pass base64, let alone a
//! signature:
//! - `t` text: the token as it stands in the `Authorization` header;
//! - `p` parts: header, payload and signature, separated by line feeds and put into base64url here;
//! - `e` edits: which genuine token, then triples of position (two bytes) and the byte to put there (NUL deletes);
//! - `x` splice: which genuine tokens lend header, payload and signature;
//! - `s` signed: which algorithm, then claims that the ring itself signs, to get past the signature.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::SigningAlgorithm;
use protocol::jose::{TokenRejection, TokenType};
use protocol::oauth::bearer_token;
use protocol::token::{AccessTokenClaims, CLOCK_LEEWAY, Expectations};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::genuine::{ISSUER, Installation};
use crate::known_client::NOW;

static INSTALLATION: LazyLock<Installation> = LazyLock::new(|| {
    let installation = Installation::new();
    for genuine in &installation.access_tokens {
        installation
            .ring
            .verify_access_token(genuine, &anybody())
            .expect("a genuine token verifies");
    }
    installation
});

const fn anybody() -> Expectations<'static> {
    Expectations {
        issuer: ISSUER,
        audience: None,
        now: NOW,
    }
}

const fn ourselves() -> Expectations<'static> {
    Expectations {
        issuer: ISSUER,
        audience: Some(ISSUER),
        now: NOW,
    }
}

/// Checks one input; panics if a promise is broken.
pub fn check(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode {
        b't' => check_header(rest),
        b'p' => check_token(&from_parts(rest)),
        b'e' => check_token(&edited(rest)),
        b'x' => check_token(&spliced(rest)),
        b's' => check_signed(rest),
        _ => {}
    }
}

fn check_header(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let header = format!("Bearer {text}");
    if let Ok(token) = bearer_token(Some(&header)) {
        assert_eq!(token, text.trim_matches(' '));
        assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    check_token(text);
}

/// A token that the ring accepts is one that it has signed, to the byte.
fn check_token(token: &str) {
    let ring = &INSTALLATION.ring;
    let Ok(claims) = ring.verify_access_token(token, &anybody()) else {
        assert!(
            ring.verify_access_token(token, &ourselves()).is_err(),
            "more is expected and less refused"
        );
        return;
    };
    assert!(
        INSTALLATION.access_tokens.iter().any(|genuine| genuine == token),
        "forged: {token}"
    );
    assert!(
        !INSTALLATION.id_tokens.iter().any(|id| id == token),
        "an ID token is no access token"
    );
    check_audience(token, &claims);
}

fn check_audience(token: &str, claims: &AccessTokenClaims) {
    let ours = INSTALLATION.ring.verify_access_token(token, &ourselves());
    match claims.aud.contains(ISSUER) {
        true => assert_eq!(ours.as_ref(), Ok(claims)),
        false => assert_eq!(ours, Err(TokenRejection::WrongAudience)),
    }
}

fn from_parts(bytes: &[u8]) -> String {
    let parts = bytes
        .splitn(3, |byte| *byte == b'\n')
        .map(|part| URL_SAFE_NO_PAD.encode(part));
    parts.collect::<Vec<String>>().join(".")
}

fn any_token(choice: u8) -> &'static str {
    let (access, id) = (&INSTALLATION.access_tokens, &INSTALLATION.id_tokens);
    let index = usize::from(choice) % (access.len() + id.len());
    access.get(index).unwrap_or_else(|| &id[index - access.len()])
}

fn edited(bytes: &[u8]) -> String {
    let Some((choice, edits)) = bytes.split_first() else {
        return String::new();
    };
    let mut token: Vec<char> = any_token(*choice).chars().collect();
    for edit in edits.chunks_exact(3) {
        let position = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % (token.len() + 1);
        match (edit[2], token.get_mut(position)) {
            (0, Some(_)) => drop(token.remove(position)),
            (byte, Some(character)) => *character = char::from(byte),
            (byte, None) => token.push(char::from(byte)),
        }
    }
    token.into_iter().collect()
}

fn spliced(choices: &[u8]) -> String {
    let part = |(index, choice): (usize, &u8)| any_token(*choice).split('.').nth(index).unwrap_or_default();
    choices
        .iter()
        .take(3)
        .enumerate()
        .map(part)
        .collect::<Vec<&str>>()
        .join(".")
}

/// Claims that got past the signature are read as a second reader reads them, and held against the present.
fn check_signed(bytes: &[u8]) {
    let Some((choice, json)) = bytes.split_first() else {
        return;
    };
    let Ok(claims) = serde_json::from_slice::<&RawValue>(json) else {
        return;
    };
    let algorithm = SigningAlgorithm::ALL[usize::from(*choice) % SigningAlgorithm::ALL.len()];
    let ring = &INSTALLATION.ring;
    let id = ring.sign(algorithm, TokenType::IdToken, &claims).expect("signs");
    assert!(
        ring.verify_access_token(&id, &anybody()).is_err(),
        "an ID token is no access token"
    );
    let token = ring.sign(algorithm, TokenType::AccessToken, &claims).expect("signs");
    let Ok(accepted) = ring.verify_access_token(&token, &anybody()) else {
        return;
    };
    check_claims(
        &accepted,
        &serde_json::from_str(claims.get()).expect("accepted claims are JSON"),
    );
    check_audience(&token, &accepted);
}

fn check_claims(accepted: &AccessTokenClaims, read: &Value) {
    let uuid = |name: &str| read[name].as_str().and_then(|text| text.parse::<uuid::Uuid>().ok());
    assert_eq!(read["iss"], ISSUER);
    assert_eq!(uuid("sub"), Some(accepted.sub.0));
    assert_eq!(uuid("organization_id"), Some(accepted.organization_id.0));
    assert_eq!(uuid("jti"), Some(accepted.jti.0));
    assert_eq!(read["exp"].as_i64(), Some(accepted.exp));
    assert_eq!(
        read["scope"].as_str().and_then(|text| text.parse().ok()),
        Some(accepted.scope)
    );
    assert!(accepted.exp > NOW.as_seconds(), "an expired token was accepted");
    let latest = NOW.plus(CLOCK_LEEWAY).as_seconds();
    assert!(
        accepted.iat <= latest && accepted.nbf.is_none_or(|nbf| nbf <= latest),
        "a future token was accepted"
    );
}
