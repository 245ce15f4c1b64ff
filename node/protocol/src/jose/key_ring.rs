//! The signing keys of an installation at one moment. Immutable: a rotation makes a new ring, and whoever signs or
//! verifies meanwhile goes on with the one that it holds.

use std::collections::BTreeMap;

use aws_lc_rs::signature::ParsedPublicKey;
use domain::{KeyId, SigningAlgorithm};
use serde::Serialize;
use serde_json::value::RawValue;

use super::encoding::{decode, encode_into, encoded_len};
use super::error::JoseError;
use super::header::{self, Header, TokenType};
use super::jwk;
use super::low_s;
use super::rejection::TokenRejection;
use super::signing_key::SigningKey;

/// What a key in the ring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// Published, so that verifiers know it before it signs anything.
    Next,
    /// Signs; at most one of an algorithm.
    Current,
    /// Signs no more; kept until the last token that it signed has expired.
    Retired,
}

/// A key as it is kept, to be put into a ring.
#[derive(Clone, Copy)]
pub struct RingKey<'a> {
    /// The thumbprint of the public half.
    pub key_id: &'a KeyId,
    /// The one algorithm that it is used with.
    pub algorithm: SigningAlgorithm,
    /// What it is for.
    pub key_use: KeyUse,
    /// The public half as a JWK.
    pub public_jwk: &'a str,
    /// The private half (RFC 5208); needed of the current key only.
    pub pkcs8: Option<&'a [u8]>,
}

/// A set of keys, ready to sign and to verify.
pub struct KeyRing {
    signers: BTreeMap<SigningAlgorithm, Signer>,
    verifiers: BTreeMap<String, Verifier>,
    jwks: String,
}

struct Signer {
    key: SigningKey,
    access_token_header: String,
    id_token_header: String,
}

struct Verifier {
    algorithm: SigningAlgorithm,
    key: ParsedPublicKey,
}

#[derive(Serialize)]
struct Jwks<'a> {
    keys: Vec<&'a RawValue>,
}

impl KeyRing {
    /// The longest token that is looked at, in bytes. Longer than any that we issue.
    pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

    /// Parses every key and checks that each is what it says it is.
    pub fn new(keys: &[RingKey<'_>]) -> Result<KeyRing, JoseError> {
        let mut ring = KeyRing {
            signers: BTreeMap::new(),
            verifiers: BTreeMap::new(),
            jwks: String::new(),
        };
        for key in keys {
            ring.add(key)?;
        }
        ring.jwks = write_jwks(keys)?;
        Ok(ring)
    }

    fn add(&mut self, entry: &RingKey<'_>) -> Result<(), JoseError> {
        let public = jwk::read(entry.public_jwk, entry.algorithm)?;
        if public.thumbprint() != *entry.key_id {
            return Err(JoseError::KeyIdMismatch(entry.key_id.clone()));
        }
        let verifier = Verifier {
            algorithm: entry.algorithm,
            key: public.verifier()?,
        };
        if self.verifiers.insert(entry.key_id.0.clone(), verifier).is_some() {
            return Err(JoseError::DuplicateKey(entry.key_id.clone()));
        }
        if entry.key_use != KeyUse::Current {
            return Ok(());
        }
        let pkcs8 = entry
            .pkcs8
            .ok_or_else(|| JoseError::CurrentKeyWithoutPrivateHalf(entry.key_id.clone()))?;
        let key = SigningKey::from_pkcs8(entry.algorithm, pkcs8)?;
        if key.public_key() != public {
            return Err(JoseError::HalvesMismatch(entry.key_id.clone()));
        }
        let header = |typ| header::write(entry.algorithm, typ, entry.key_id);
        let signer = Signer {
            key,
            access_token_header: header(TokenType::AccessToken),
            id_token_header: header(TokenType::IdToken),
        };
        match self.signers.insert(entry.algorithm, signer) {
            Some(_) => Err(JoseError::TwoCurrentKeys(entry.algorithm)),
            None => Ok(()),
        }
    }

    /// The key set (RFC 7517 §5) as JSON text, public halves only, in the order in which the keys were given.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Signs claims with the current key of an algorithm, in the compact serialization (RFC 7515 §3.1).
    pub fn sign<C: Serialize>(
        &self,
        algorithm: SigningAlgorithm,
        typ: TokenType,
        claims: &C,
    ) -> Result<String, JoseError> {
        let signer = self.signers.get(&algorithm).ok_or(JoseError::NoCurrentKey(algorithm))?;
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::Claims)?;
        let header = match typ {
            TokenType::AccessToken => &signer.access_token_header,
            TokenType::IdToken => &signer.id_token_header,
        };
        sign_compact(header, &payload, &signer.key)
    }

    /// Checks everything about a token but its claims, and gives the claims' JSON.
    pub(crate) fn verify(&self, token: &str, typ: TokenType) -> Result<Vec<u8>, TokenRejection> {
        if token.len() > Self::TOKEN_BYTES_MAX {
            return Err(TokenRejection::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRejection::Malformed)?;
        // A further dot would be in the payload, where base64url knows none.
        let (header, payload) = signed.split_once('.').ok_or(TokenRejection::Malformed)?;
        let header = decode_segment(header)?;
        let verifier = self.verifier(&Header::read(&header, typ)?)?;
        let signature = decode_segment(signature)?;
        let payload = decode_segment(payload)?;
        if verifier.algorithm == SigningAlgorithm::Es256 && !low_s::is_low(&signature) {
            return Err(TokenRejection::BadSignature);
        }
        verifier
            .key
            .verify_sig(signed.as_bytes(), &signature)
            .map_err(|_| TokenRejection::BadSignature)?;
        Ok(payload)
    }

    /// The key that the header names, if the header's algorithm is the key's own (RFC 8725 §3.1).
    fn verifier(&self, header: &Header<'_>) -> Result<&Verifier, TokenRejection> {
        let key_id = header.kid.as_deref().ok_or(TokenRejection::UnknownKey)?;
        let verifier = self.verifiers.get(key_id).ok_or(TokenRejection::UnknownKey)?;
        if header.alg != verifier.algorithm.as_str() {
            return Err(TokenRejection::WrongAlgorithm);
        }
        Ok(verifier)
    }
}

fn decode_segment(segment: &str) -> Result<Vec<u8>, TokenRejection> {
    decode(segment).ok_or(TokenRejection::Malformed)
}

fn write_jwks(keys: &[RingKey<'_>]) -> Result<String, JoseError> {
    let unreadable = |key: &RingKey<'_>| JoseError::PublicKey(key.algorithm);
    let raw: Result<Vec<&RawValue>, JoseError> = keys
        .iter()
        .map(|key| serde_json::from_str(key.public_jwk).map_err(|_| unreadable(key)))
        .collect();
    Ok(serde_json::to_string(&Jwks { keys: raw? }).expect("parsed JSON always serializes"))
}

fn sign_compact(header: &str, payload: &[u8], key: &SigningKey) -> Result<String, JoseError> {
    let token_len = header.len() + 1 + encoded_len(payload.len()) + 1 + encoded_len(key.signature_len());
    let mut token = String::with_capacity(token_len);
    token.push_str(header);
    token.push('.');
    encode_into(payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    encode_into(&signature, &mut token);
    Ok(token)
}

#[cfg(test)]
mod tests;
