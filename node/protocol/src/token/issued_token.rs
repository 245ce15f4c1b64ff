//! A successful answer of the token endpoint (RFC 6749 §5.1).

use domain::{ScopeSet, Secret};
use serde::Serialize;

use super::claims::AccessTokenClaims;

/// Freshly signed tokens.
pub struct IssuedToken {
    /// The access token.
    pub access_token: Secret,
    /// The ID token, if `openid` was granted.
    pub id_token: Option<Secret>,
    /// What the access token says, for the audit record.
    pub claims: AccessTokenClaims,
    /// How long it lives, in seconds.
    pub expires_in: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    scope: ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

impl IssuedToken {
    /// The response body. It holds the tokens, so it goes to the caller and nowhere else.
    pub fn to_response_json(&self) -> String {
        let body = Body {
            access_token: self.access_token.expose(),
            token_type: "Bearer",
            expires_in: self.expires_in,
            scope: self.claims.scope,
            id_token: self.id_token.as_ref().map(Secret::expose),
        };
        serde_json::to_string(&body).expect("strings and numbers always serialize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::claims::tests::claims;

    #[test]
    fn the_body_is_that_of_rfc_6749() {
        let mut issued = IssuedToken {
            access_token: Secret::new("a.b.c"),
            id_token: None,
            claims: claims(),
            expires_in: 3600,
        };
        let common = r#"{"access_token":"a.b.c","token_type":"Bearer","expires_in":3600,"scope":"agents:read openid""#;
        assert_eq!(issued.to_response_json(), format!("{common}}}"));
        issued.id_token = Some(Secret::new("d.e.f"));
        assert_eq!(issued.to_response_json(), format!("{common},\"id_token\":\"d.e.f\"}}"));
    }
}
