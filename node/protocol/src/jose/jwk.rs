//! A public key as a JWK (RFC 7517), written and read. Reading is strict: a member that we don't write, above all the
//! private `d`, makes the whole key unreadable, so it can't slip into a published key set.

use domain::{KeyId, SigningAlgorithm};
use serde::{Deserialize, Serialize};

use super::encoding::{decode, encode};
use super::error::JoseError;
use super::public_key::PublicKey;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    kid: String,
    #[serde(rename = "use")]
    key_use: String,
    alg: String,
}

/// Writes the key with its thumbprint as `kid`.
pub(super) fn write(key: &PublicKey) -> String {
    let mut jwk = Jwk {
        kid: key.thumbprint().0,
        key_use: "sig".to_owned(),
        alg: key.algorithm().to_string(),
        ..Jwk::default()
    };
    match key {
        PublicKey::Ed25519 { x } => {
            (jwk.kty, jwk.crv, jwk.x) = ("OKP".into(), Some("Ed25519".into()), Some(encode(x)));
        }
        PublicKey::P256 { x, y } => {
            (jwk.kty, jwk.crv) = ("EC".into(), Some("P-256".into()));
            (jwk.x, jwk.y) = (Some(encode(x)), Some(encode(y)));
        }
        PublicKey::Rsa { n, e } => {
            (jwk.kty, jwk.n, jwk.e) = ("RSA".into(), Some(encode(n)), Some(encode(e)));
        }
    }
    serde_json::to_string(&jwk).expect("a struct of strings always serializes")
}

/// Reads a key of this algorithm and checks that its `kid` is its thumbprint.
pub(super) fn read(json: &str, algorithm: SigningAlgorithm) -> Result<PublicKey, JoseError> {
    let unreadable = || JoseError::PublicKey(algorithm);
    let jwk: Jwk = serde_json::from_str(json).map_err(|_| unreadable())?;
    let key = parts(&jwk)
        .filter(|key| key.algorithm() == algorithm)
        .ok_or_else(unreadable)?;
    if jwk.alg != algorithm.as_str() || jwk.key_use != "sig" {
        return Err(unreadable());
    }
    if key.thumbprint().0 != jwk.kid {
        return Err(JoseError::KeyIdMismatch(KeyId(jwk.kid)));
    }
    Ok(key)
}

fn parts(jwk: &Jwk) -> Option<PublicKey> {
    let coordinate = |text: &Option<String>| <[u8; 32]>::try_from(decode(text.as_deref()?)?).ok();
    let number = |text: &Option<String>| decode(text.as_deref()?).filter(|bytes| bytes.first() != Some(&0));
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => Some(PublicKey::Ed25519 { x: coordinate(&jwk.x)? }),
        ("EC", Some("P-256")) => Some(PublicKey::P256 {
            x: coordinate(&jwk.x)?,
            y: coordinate(&jwk.y)?,
        }),
        ("RSA", None) => Some(PublicKey::Rsa {
            n: number(&jwk.n)?,
            e: number(&jwk.e)?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::keys;

    #[test]
    fn a_written_key_reads_back() {
        for key in keys() {
            let public = read(&key.public_jwk, key.algorithm).expect("our own");
            assert_eq!(write(&public), key.public_jwk);
            assert_eq!(public.thumbprint(), key.key_id);
        }
    }

    #[test]
    fn a_written_key_is_read_by_jsonwebtoken_which_computes_the_same_thumbprint() {
        for key in keys() {
            let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(&key.public_jwk).expect("a JWK");
            let thumbprint = jwk
                .thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256)
                .expect("supported");
            assert_eq!(thumbprint, key.key_id.0);
            assert_eq!(jwk.common.key_id.as_ref(), Some(&key.key_id.0));
        }
    }

    #[test]
    fn a_private_member_or_another_algorithm_makes_a_key_unreadable() {
        for key in keys() {
            let with_d = key.public_jwk.replace("\"kid\"", "\"d\":\"AQ\",\"kid\"");
            let other_use = key.public_jwk.replace("\"sig\"", "\"enc\"");
            let twice = key.public_jwk.replace("\"kid\"", "\"alg\":\"none\",\"kid\"");
            for json in [&with_d, &other_use, &twice, "", "{}", "[]"] {
                assert_eq!(read(json, key.algorithm), Err(JoseError::PublicKey(key.algorithm)));
            }
            for other in SigningAlgorithm::ALL.iter().filter(|other| **other != key.algorithm) {
                assert_eq!(read(&key.public_jwk, *other), Err(JoseError::PublicKey(*other)));
            }
        }
    }

    #[test]
    fn a_kid_that_is_not_the_thumbprint_is_refused() {
        let key = &keys()[0];
        let other = key.public_jwk.replace(&key.key_id.0, "other");
        assert_eq!(
            read(&other, key.algorithm),
            Err(JoseError::KeyIdMismatch(KeyId("other".into())))
        );
    }
}
