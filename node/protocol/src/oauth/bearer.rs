//! The `Bearer` scheme of the `Authorization` header (RFC 6750 §2.1) and what is answered when the token will not do
//! (§3). Not here: tokens in a body or a query, which end up in logs.

use domain::ScopeSet;

use super::error::{OAuthError, OAuthErrorCode};

/// Why a request with or without a bearer token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// There is none.
    #[error("Send an access token as Authorization: Bearer.")]
    Missing,
    /// The header is not one token.
    #[error("Send the Authorization header as Bearer, one space and the token.")]
    Malformed,
    /// It is expired, revoked or not ours; which of these is not told.
    #[error("The access token is expired, revoked or not valid here; ask for a new one.")]
    Invalid,
    /// It does not allow this.
    #[error("The access token needs the scope {0}.")]
    InsufficientScope(ScopeSet),
}

impl BearerError {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.code().status()
    }

    const fn code(&self) -> OAuthErrorCode {
        match self {
            Self::Malformed => OAuthErrorCode::InvalidRequest,
            Self::Missing | Self::Invalid => OAuthErrorCode::InvalidToken,
            Self::InsufficientScope(_) => OAuthErrorCode::InsufficientScope,
        }
    }

    /// The `WWW-Authenticate` header that must go with it. Who sent no token is not told of an error (RFC 6750 §3.1).
    pub fn www_authenticate(&self) -> String {
        const REALM: &str = "Bearer realm=\"agentidp\"";
        let code = self.code().as_str();
        match self {
            Self::Missing => REALM.to_owned(),
            Self::Malformed | Self::Invalid => format!("{REALM}, error=\"{code}\", error_description=\"{self}\""),
            Self::InsufficientScope(scope) => {
                format!("{REALM}, error=\"{code}\", error_description=\"{self}\", scope=\"{scope}\"")
            }
        }
    }
}

impl From<BearerError> for OAuthError {
    fn from(error: BearerError) -> Self {
        OAuthError::new(error.code(), error.to_string())
    }
}

/// The token in an `Authorization` header. A header of another scheme holds none.
pub fn bearer_token(authorization: Option<&str>) -> Result<&str, BearerError> {
    const SCHEME: &str = "bearer";
    let header = authorization.ok_or(BearerError::Missing)?;
    match header.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => {}
        _ => return Err(BearerError::Missing),
    }
    let token = match &header[SCHEME.len()..] {
        "" => return Err(BearerError::Malformed),
        rest => rest.strip_prefix(' ').ok_or(BearerError::Missing)?.trim_matches(' '),
    };
    if is_token68(token) {
        Ok(token)
    } else {
        Err(BearerError::Malformed)
    }
}

/// `b64token` of RFC 6750 §2.1.
fn is_token68(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

#[cfg(test)]
mod tests {
    use domain::Scope;

    use super::*;

    #[test]
    fn the_token_is_what_follows_the_scheme() {
        for header in ["Bearer a.b-c_d", "bearer a.b-c_d", "BEARER   a.b-c_d "] {
            assert_eq!(bearer_token(Some(header)), Ok("a.b-c_d"), "{header}");
        }
        assert_eq!(bearer_token(Some("Bearer YQ==")), Ok("YQ=="));
    }

    #[test]
    fn no_header_and_other_schemes_hold_no_token() {
        for header in [
            None,
            Some(""),
            Some("Basic YTpi"),
            Some("Bearerx a"),
            Some("é"),
            Some("DPoP a"),
        ] {
            assert_eq!(bearer_token(header), Err(BearerError::Missing), "{header:?}");
        }
    }

    #[test]
    fn what_is_not_one_token_is_malformed() {
        for header in [
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer ==",
            "Bearer é",
            "Bearer a\"",
            "Bearer a\tb",
        ] {
            assert_eq!(bearer_token(Some(header)), Err(BearerError::Malformed), "{header:?}");
        }
    }

    #[test]
    fn each_refusal_has_its_status_and_challenge() {
        let scope = ScopeSet::EMPTY.with(Scope::AuditRead);
        let challenges = [
            (BearerError::Missing, 401, r#"Bearer realm="agentidp""#),
            (
                BearerError::Malformed,
                400,
                r#"Bearer realm="agentidp", error="invalid_request", error_description="Send the Authorization header as Bearer, one space and the token.""#,
            ),
            (
                BearerError::Invalid,
                401,
                r#"Bearer realm="agentidp", error="invalid_token", error_description="The access token is expired, revoked or not valid here; ask for a new one.""#,
            ),
            (
                BearerError::InsufficientScope(scope),
                403,
                r#"Bearer realm="agentidp", error="insufficient_scope", error_description="The access token needs the scope audit:read.", scope="audit:read""#,
            ),
        ];
        for (error, status, challenge) in challenges {
            assert_eq!((error.status(), error.www_authenticate().as_str()), (status, challenge));
            assert_eq!(OAuthError::from(error).status(), status);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in "(?i:bearer)?[ ]?.{0,40}") {
            if let Ok(token) = bearer_token(Some(&text)) {
                proptest::prop_assert!(token.is_ascii() && text.contains(token));
            }
        }
    }
}
