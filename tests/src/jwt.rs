//! Reads and checks JSON Web Tokens with a library that the node does not sign with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

/// The header and the claims, unverified.
#[track_caller]
pub fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url without padding");
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
    });
    (parts.next().expect("a header"), parts.next().expect("claims"))
}

/// The claims of a token whose signature, issuer and audience hold; the key is the one in `jwks` that the header names.
#[track_caller]
pub fn verified(token: &str, jwks: &Value, issuer: &str, audience: &str) -> Value {
    let set: JwkSet = serde_json::from_value(jwks.clone()).expect("a JWK set");
    let (header, _) = parts(token);
    let key = set
        .find(header["kid"].as_str().expect("a kid"))
        .expect("the key is published");
    let algorithm: Algorithm = header["alg"].as_str().expect("an alg").parse().expect("a known alg");
    let mut validation = Validation::new(algorithm);
    validation.leeway = 5;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = DecodingKey::from_jwk(key).expect("a usable key");
    decode::<Value>(token, &key, &validation)
        .unwrap_or_else(|error| panic!("{error}: {:?}", parts(token)))
        .claims
}

/// The token with one bit of its signature turned over.
pub fn with_broken_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    bytes[0] ^= 1;
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The token with its claims changed and its signature kept.
pub fn with_claims(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let (header, mut claims) = (token.split('.').next().expect("a header"), parts(token).1);
    change(&mut claims);
    let signature = token.rsplit('.').next().expect("a signature");
    format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A token with this header and these claims and the signature that it is given.
pub fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        encode(header),
        encode(claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}
