//! What an access token says (RFC 9068 §2.2).

use domain::{AgentId, CredentialId, OrganizationId, Revision, ScopeSet, Timestamp, TokenFacts, TokenFamily, TokenId};
use serde::{Deserialize, Serialize};

use super::audience::Audience;

/// The claims of an access token. Read strictly: a claim that is missing, there twice or of another type makes the token
/// malformed; claims that are not in here are ignored (RFC 7519 §4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Who issued it.
    pub iss: String,
    /// Whom it stands for.
    pub sub: AgentId,
    /// Who asked for it.
    pub client_id: AgentId,
    /// Where it may be used.
    pub aud: Audience,
    /// What it allows.
    pub scope: ScopeSet,
    /// Identifies it.
    pub jti: TokenId,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: i64,
    /// From when on it is refused, in seconds since the Unix epoch.
    pub exp: i64,
    /// Before when it is refused, in seconds since the Unix epoch. We don't write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Whose agent it stands for.
    pub organization_id: OrganizationId,
    /// What it has in common with everything exchanged or delegated from it.
    pub family: TokenFamily,
    /// What the agent authenticated with.
    pub credential_id: CredentialId,
    /// The replicated state that its issuer had seen.
    pub rev: Revision,
}

impl AccessTokenClaims {
    /// What a revocation may be about.
    pub const fn facts(&self) -> TokenFacts {
        TokenFacts {
            token: self.jti,
            family: self.family,
            credential: self.credential_id,
            agent: self.sub,
            organization: self.organization_id,
            issued_at: self.rev,
        }
    }

    /// From when on it is refused.
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.exp)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::test_support::{AGENT, CREDENTIAL, ISSUER, NOW, ORGANIZATION};

    pub(crate) fn claims() -> AccessTokenClaims {
        AccessTokenClaims {
            iss: ISSUER.into(),
            sub: AGENT,
            client_id: AGENT,
            aud: Audience::new(&[], ISSUER),
            scope: "agents:read openid".parse().expect("known scopes"),
            jti: TokenId(Uuid::from_u128(1)),
            iat: NOW.as_seconds(),
            exp: NOW.as_seconds() + 3600,
            nbf: None,
            organization_id: ORGANIZATION,
            family: TokenFamily(Uuid::from_u128(2)),
            credential_id: CREDENTIAL,
            rev: Revision(7),
        }
    }

    const JSON: &str = concat!(
        r#"{"iss":"https://id.example","sub":"0192f0c1-2b3d-7a4e-8f00-0000000000a1","#,
        r#""client_id":"0192f0c1-2b3d-7a4e-8f00-0000000000a1","aud":"https://id.example","#,
        r#""scope":"agents:read openid","jti":"00000000-0000-0000-0000-000000000001","#,
        r#""iat":1700000000,"exp":1700003600,"organization_id":"0192f0c1-2b3d-7a4e-8f00-0000000000b1","#,
        r#""family":"00000000-0000-0000-0000-000000000002","#,
        r#""credential_id":"0192f0c1-2b3d-7a4e-8f00-0000000000c1","rev":7}"#,
    );

    #[test]
    fn the_wire_form_is_this_and_reads_back() {
        assert_eq!(serde_json::to_string(&claims()).expect("serializes"), JSON);
        assert_eq!(
            serde_json::from_str::<AccessTokenClaims>(JSON).expect("reads"),
            claims()
        );
    }

    #[test]
    fn the_facts_are_those_of_the_claims() {
        let facts = claims().facts();
        assert_eq!((facts.token, facts.family), (claims().jti, claims().family));
        assert_eq!((facts.agent, facts.organization), (AGENT, ORGANIZATION));
        assert_eq!((facts.credential, facts.issued_at), (CREDENTIAL, Revision(7)));
    }

    #[test]
    fn floats_negative_revisions_duplicates_and_missing_claims_are_refused() {
        let refused = |from: &str, to: &str| {
            let json = JSON.replace(from, to);
            assert_ne!(json, JSON, "the replacement must change something");
            assert!(serde_json::from_str::<AccessTokenClaims>(&json).is_err(), "{to}");
        };
        refused("1700003600", "1700003600.0");
        refused("1700003600", "1.7e9");
        refused("1700003600", "\"1700003600\"");
        refused("1700003600", "9223372036854775808");
        refused("1700003600", "null");
        refused("\"rev\":7", "\"rev\":-1");
        refused("\"rev\":7", "\"rev\":7,\"exp\":9999999999");
        refused(",\"rev\":7", "");
        refused("agents:read openid", "agents:read root");
        refused("\"aud\":\"https://id.example\"", "\"aud\":[]");
    }
}
