//! What is answered to a request that can't be granted (RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2).

use std::borrow::Cow;

use serde::Serialize;

/// The machine-readable part of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OAuthErrorCode {
    /// The request is malformed (RFC 6749 §5.2).
    InvalidRequest,
    /// The client did not prove who it is (RFC 6749 §5.2).
    InvalidClient,
    /// The client proved who it is and may not have this (RFC 6749 §5.2).
    UnauthorizedClient,
    /// The grant type is not one that this server knows (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// The scope is unknown, malformed or more than the client may have (RFC 6749 §5.2).
    InvalidScope,
    /// The resource is not an absolute URI (RFC 8707 §2).
    InvalidTarget,
    /// The bearer token is expired, revoked or not ours (RFC 6750 §3.1).
    InvalidToken,
    /// The bearer token does not allow this (RFC 6750 §3.1).
    InsufficientScope,
    /// The client asks too often (RFC 8628 §3.5).
    SlowDown,
    /// The server can't answer now and expects to be able to later (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable,
    /// The server failed (RFC 6749 §4.1.2.1).
    ServerError,
}

impl OAuthErrorCode {
    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::SlowDown => "slow_down",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// The HTTP status that goes with it. `unauthorized_client` is 403 here: the caller has proved who it is, so
    /// trying to authenticate again would not help.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::UnsupportedGrantType | Self::InvalidScope | Self::InvalidTarget => 400,
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::UnauthorizedClient | Self::InsufficientScope => 403,
            Self::SlowDown => 429,
            Self::TemporarilyUnavailable => 503,
            Self::ServerError => 500,
        }
    }
}

/// An error as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    /// What kind.
    pub code: OAuthErrorCode,
    /// A sentence that tells the developer what to do. Never holds anything that the caller sent.
    pub description: Cow<'static, str>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    error_description: &'a str,
}

impl OAuthError {
    /// An error whose description is made to fit RFC 6749 §5.2: printable ASCII without `"` and `\`.
    pub fn new(code: OAuthErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        let mut description = description.into();
        if !description.chars().all(is_allowed) {
            description = description
                .chars()
                .map(|c| if is_allowed(c) { c } else { '?' })
                .collect();
        }
        Self { code, description }
    }

    /// `invalid_request`.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }

    /// `invalid_client`.
    pub fn invalid_client(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OAuthErrorCode::InvalidClient, description)
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// The `WWW-Authenticate` header that must go with it, if any. A 401 always carries one (RFC 9110 §15.5.2), also
    /// when the client tried to authenticate in the body.
    pub const fn www_authenticate(&self) -> Option<&'static str> {
        match self.code {
            OAuthErrorCode::InvalidClient => Some("Basic realm=\"agentidp\", charset=\"UTF-8\""),
            OAuthErrorCode::InvalidToken => Some("Bearer realm=\"agentidp\", error=\"invalid_token\""),
            _ => None,
        }
    }

    /// The response body: `{"error": …, "error_description": …}`.
    pub fn to_json(&self) -> String {
        let body = Body {
            error: self.code.as_str(),
            error_description: &self.description,
        };
        serde_json::to_string(&body).expect("two strings always serialize")
    }
}

fn is_allowed(c: char) -> bool {
    matches!(c, ' '..='~') && c != '"' && c != '\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_two_members_of_rfc_6749() {
        let error = OAuthError::invalid_request("Send grant_type.");
        assert_eq!(
            error.to_json(),
            r#"{"error":"invalid_request","error_description":"Send grant_type."}"#
        );
        assert_eq!((error.status(), error.www_authenticate()), (400, None));
    }

    #[test]
    fn a_description_holds_no_character_that_the_rfc_forbids() {
        let error = OAuthError::invalid_request("a \"quoted\"\r\nline\\ …");
        assert_eq!(error.description, "a ?quoted???line? ?");
    }

    #[test]
    fn every_401_carries_a_challenge() {
        for code in [OAuthErrorCode::InvalidClient, OAuthErrorCode::InvalidToken] {
            let error = OAuthError::new(code, "no");
            assert_eq!(error.status(), 401);
            assert!(error.www_authenticate().is_some());
        }
    }
}
