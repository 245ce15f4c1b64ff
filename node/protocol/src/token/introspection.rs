//! The answer to "is this token alive?" (RFC 7662 §2.2).

use domain::{AgentId, OrganizationId, ScopeSet, TokenId};
use serde::Serialize;

use super::audience::Audience;
use super::claims::AccessTokenClaims;

/// The answer about a token that is not alive, whatever the reason (RFC 7662 §2.2).
pub const INACTIVE: &str = r#"{"active":false}"#;

#[derive(Serialize)]
struct Active<'a> {
    active: bool,
    scope: ScopeSet,
    client_id: AgentId,
    sub: AgentId,
    exp: i64,
    iat: i64,
    iss: &'a str,
    jti: TokenId,
    token_type: &'static str,
    aud: &'a Audience,
    organization_id: OrganizationId,
}

/// The answer about a token that is alive.
pub fn active(claims: &AccessTokenClaims) -> String {
    let answer = Active {
        active: true,
        scope: claims.scope,
        client_id: claims.client_id,
        sub: claims.sub,
        exp: claims.exp,
        iat: claims.iat,
        iss: &claims.iss,
        jti: claims.jti,
        token_type: "Bearer",
        aud: &claims.aud,
        organization_id: claims.organization_id,
    };
    serde_json::to_string(&answer).expect("strings and numbers always serialize")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::claims::tests::claims;

    #[test]
    fn the_answer_has_these_members() {
        let expected = concat!(
            r#"{"active":true,"scope":"agents:read openid","client_id":"0192f0c1-2b3d-7a4e-8f00-0000000000a1","#,
            r#""sub":"0192f0c1-2b3d-7a4e-8f00-0000000000a1","exp":1700003600,"iat":1700000000,"#,
            r#""iss":"https://id.example","jti":"00000000-0000-0000-0000-000000000001","token_type":"Bearer","#,
            r#""aud":"https://id.example","organization_id":"0192f0c1-2b3d-7a4e-8f00-0000000000b1"}"#,
        );
        assert_eq!(active(&claims()), expected);
    }

    #[test]
    fn about_a_dead_token_nothing_is_told() {
        assert_eq!(INACTIVE, r#"{"active":false}"#);
    }
}
