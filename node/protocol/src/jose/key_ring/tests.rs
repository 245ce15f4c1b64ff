//! Rings that are put together rightly and wrongly, and vectors of the RFCs.

use super::*;
use crate::jose::encoding::encode;
use crate::jose::public_key::PublicKey;
use crate::jose::{GeneratedKey, generate_key};
use crate::test_support::{Seeded, keys, ring_key};

fn key(seed: u64) -> GeneratedKey {
    generate_key(SigningAlgorithm::EdDsa, &Seeded::new(seed)).expect("generated")
}

fn refusal(keys: &[RingKey<'_>]) -> JoseError {
    KeyRing::new(keys).err().expect("must be refused")
}

#[test]
fn only_the_current_key_signs_and_every_key_verifies() {
    let (next, current, retired) = (key(1), key(2), key(3));
    let claims = serde_json::json!({"a": 1});
    let token_of = |signer: &GeneratedKey| {
        let ring = KeyRing::new(&[ring_key(signer, KeyUse::Current)]).expect("one good key");
        ring.sign(SigningAlgorithm::EdDsa, TokenType::AccessToken, &claims)
            .expect("signs")
    };
    let mut without_private = ring_key(&retired, KeyUse::Retired);
    without_private.pkcs8 = None;
    let ring = KeyRing::new(&[
        ring_key(&next, KeyUse::Next),
        ring_key(&current, KeyUse::Current),
        without_private,
    ])
    .expect("three good keys");

    let signed = ring
        .sign(SigningAlgorithm::EdDsa, TokenType::AccessToken, &claims)
        .expect("signs");
    assert_eq!(signed, token_of(&current));
    for signer in [&next, &current, &retired] {
        assert_eq!(
            ring.verify(&token_of(signer), TokenType::AccessToken),
            Ok(br#"{"a":1}"#.to_vec())
        );
    }
    assert_eq!(
        ring.verify(&token_of(&key(4)), TokenType::AccessToken),
        Err(TokenRejection::UnknownKey)
    );
}

#[test]
fn without_a_current_key_nothing_is_signed() {
    let next = key(1);
    let ring = KeyRing::new(&[ring_key(&next, KeyUse::Next)]).expect("one good key");
    for algorithm in SigningAlgorithm::ALL {
        let refused = ring.sign(*algorithm, TokenType::AccessToken, &());
        assert_eq!(refused, Err(JoseError::NoCurrentKey(*algorithm)));
    }
}

#[test]
fn a_ring_that_contradicts_itself_is_refused() {
    let (one, other) = (key(1), key(2));
    let current = |key| ring_key(key, KeyUse::Current);

    let mut renamed = current(&one);
    renamed.key_id = &other.key_id;
    assert_eq!(refusal(&[renamed]), JoseError::KeyIdMismatch(other.key_id.clone()));

    let mut halves = current(&one);
    halves.pkcs8 = Some(&other.pkcs8);
    assert_eq!(refusal(&[halves]), JoseError::HalvesMismatch(one.key_id.clone()));

    let mut half = current(&one);
    half.pkcs8 = None;
    assert_eq!(
        refusal(&[half]),
        JoseError::CurrentKeyWithoutPrivateHalf(one.key_id.clone())
    );

    let mut other_algorithm = current(&one);
    other_algorithm.algorithm = SigningAlgorithm::Es256;
    assert_eq!(
        refusal(&[other_algorithm]),
        JoseError::PublicKey(SigningAlgorithm::Es256)
    );

    let twice = [ring_key(&one, KeyUse::Next), ring_key(&one, KeyUse::Retired)];
    assert_eq!(refusal(&twice), JoseError::DuplicateKey(one.key_id.clone()));
    assert_eq!(
        refusal(&[current(&one), current(&other)]),
        JoseError::TwoCurrentKeys(SigningAlgorithm::EdDsa)
    );
}

#[test]
fn the_key_set_holds_the_public_halves_in_order() {
    let entries: Vec<RingKey<'_>> = keys().iter().map(|key| ring_key(key, KeyUse::Current)).collect();
    let ring = KeyRing::new(&entries).expect("three good keys");
    let jwks: Vec<&str> = keys().iter().map(|key| key.public_jwk.as_str()).collect();
    assert_eq!(ring.jwks(), format!(r#"{{"keys":[{}]}}"#, jwks.join(",")));
    assert_eq!(KeyRing::new(&[]).expect("an empty ring").jwks(), r#"{"keys":[]}"#);
}

#[test]
fn a_token_has_a_longest_length() {
    let signer = key(1);
    let ring = KeyRing::new(&[ring_key(&signer, KeyUse::Current)]).expect("one good key");
    let of_payload = |bytes: usize| {
        let claims = "x".repeat(bytes - 2);
        ring.sign(SigningAlgorithm::EdDsa, TokenType::AccessToken, &claims)
            .expect("signs")
    };
    // Header, signature and dots; three bytes of payload are four characters.
    let around = of_payload(3).len() - 4;
    let fits = (KeyRing::TOKEN_BYTES_MAX - around) * 3 / 4;
    assert!(of_payload(fits).len() <= KeyRing::TOKEN_BYTES_MAX);
    assert!(ring.verify(&of_payload(fits), TokenType::AccessToken).is_ok());
    assert!(of_payload(fits + 1).len() > KeyRing::TOKEN_BYTES_MAX);
    assert_eq!(
        ring.verify(&of_payload(fits + 1), TokenType::AccessToken),
        Err(TokenRejection::TooLong)
    );
}

#[test]
fn the_signature_of_rfc_8037_appendix_a_4() {
    let seed = decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64url");
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes");
    let pkcs8 = pair.to_pkcs8v1().expect("a key");
    let key = SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, pkcs8.as_ref()).expect("a key");
    let x = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("base64url");
    assert_eq!(
        key.public_key(),
        PublicKey::Ed25519 {
            x: x.try_into().expect("32 bytes")
        }
    );

    let header = encode(br#"{"alg":"EdDSA"}"#);
    let token = sign_compact(&header, b"Example of Ed25519 signing", &key).expect("signs");
    assert_eq!(
        token,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4i\
         ylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test]
fn the_signature_of_rfc_7515_appendix_a_3_verifies() {
    let coordinate = |text| decode(text).expect("base64url").try_into().expect("32 bytes");
    let key = PublicKey::P256 {
        x: coordinate("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        y: coordinate("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    };
    let signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290\
                  Ijp0cnVlfQ";
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let verifier = key.verifier().expect("on the curve");
    let signature = decode(signature).expect("base64url");
    assert!(verifier.verify_sig(signed.as_bytes(), &signature).is_ok());
}
