//! The protected header of a JWS (RFC 7515 §4): what we write and what we accept.

use std::borrow::Cow;

use domain::{KeyId, SigningAlgorithm};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::encoding::encode;
use super::rejection::TokenRejection;

/// What a token is for. A token of one type is never accepted where another is wanted (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// An access token (RFC 9068 §2.1).
    AccessToken,
    /// An ID token (OpenID Connect Core §2).
    IdToken,
}

impl TokenType {
    /// The `typ` that we write.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::IdToken => "JWT",
        }
    }

    /// Whether a `typ` names this type: in any case, and with `application/` left out or not (RFC 7515 §4.1.9).
    fn is_named_by(self, typ: &str) -> bool {
        const PREFIX: &str = "application/";
        let short = match typ.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
            _ => typ,
        };
        short.eq_ignore_ascii_case(self.as_str())
    }
}

#[derive(Serialize)]
struct Written<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// The header of every token of one type that one key signs, ready to be put in front of the payload.
pub(super) fn write(algorithm: SigningAlgorithm, typ: TokenType, key_id: &KeyId) -> String {
    let header = Written {
        alg: algorithm.as_str(),
        typ: typ.as_str(),
        kid: &key_id.0,
    };
    encode(&serde_json::to_vec(&header).expect("a struct of strings always serializes"))
}

/// What we look at. A member that is in here twice makes the header malformed; members that are not in here, such as
/// `jwk`, `jku` and `x5u`, are never looked at (RFC 7515 §4).
#[derive(Deserialize)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub alg: Cow<'a, str>,
    #[serde(borrow, default)]
    typ: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub kid: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
    #[serde(default, deserialize_with = "is_there")]
    b64: bool,
    #[serde(default, deserialize_with = "is_there")]
    zip: bool,
}

impl<'a> Header<'a> {
    /// Reads a header that must be of a token of type `typ`.
    pub fn read(json: &'a [u8], typ: TokenType) -> Result<Self, TokenRejection> {
        let header: Header<'a> = serde_json::from_slice(json).map_err(|_| TokenRejection::Malformed)?;
        if header.crit || header.b64 || header.zip {
            return Err(TokenRejection::UnsupportedHeader);
        }
        if !header.typ.as_deref().is_some_and(|name| typ.is_named_by(name)) {
            return Err(TokenRejection::WrongType);
        }
        Ok(header)
    }
}

/// True for any value, `null` included: what matters is that the member is there.
fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<(), TokenRejection> {
        Header::read(json.as_bytes(), TokenType::AccessToken).map(drop)
    }

    #[test]
    fn what_is_written_is_read() {
        let written = write(SigningAlgorithm::EdDsa, TokenType::AccessToken, &KeyId("k".into()));
        let json = super::super::encoding::decode(&written).expect("canonical");
        assert_eq!(json, br#"{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#);
        let header = Header::read(&json, TokenType::AccessToken).expect("ours");
        assert_eq!((header.alg.as_ref(), header.kid.as_deref()), ("EdDSA", Some("k")));
    }

    #[test]
    fn the_type_is_compared_as_a_media_type() {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert_eq!(read(&format!(r#"{{"alg":"x","typ":"{typ}"}}"#)), Ok(()), "{typ}");
        }
        for typ in [
            "JWT",
            "at+jwt ",
            "application/",
            "application/application/at+jwt",
            "é+jwt",
            "",
        ] {
            let refused = read(&format!(r#"{{"alg":"x","typ":"{typ}"}}"#));
            assert_eq!(refused, Err(TokenRejection::WrongType), "{typ}");
        }
        assert_eq!(read(r#"{"alg":"x"}"#), Err(TokenRejection::WrongType));
        assert_eq!(read(r#"{"alg":"x","typ":null}"#), Err(TokenRejection::WrongType));
    }

    #[test]
    fn extensions_are_refused_whatever_their_value() {
        for member in ["crit", "b64", "zip"] {
            for value in ["null", "[]", r#"["exp"]"#, "true", "false", r#""DEF""#] {
                let refused = read(&format!(r#"{{"alg":"x","typ":"at+jwt","{member}":{value}}}"#));
                assert_eq!(refused, Err(TokenRejection::UnsupportedHeader), "{member}: {value}");
            }
        }
    }

    #[test]
    fn what_is_not_an_object_with_each_member_once_is_malformed() {
        for json in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"alg":1}"#,
            r#"{"alg":"a","alg":"a","typ":"at+jwt"}"#,
            r#"{"alg":"a","typ":"at+jwt","kid":"k","kid":"k"}"#,
            r#"{"alg":"a","typ":"at+jwt","kid":7}"#,
            r#"{"alg":"a","typ":"at+jwt"} "x""#,
        ] {
            assert_eq!(read(json), Err(TokenRejection::Malformed), "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let _ = Header::read(&bytes, TokenType::AccessToken);
        }
    }
}
