//! From a grant to tokens.

use std::time::Duration;

use domain::ports::Entropy;
use domain::{Revision, Scope, Secret, Timestamp, TokenFamily, TokenId};
use serde::Serialize;

use super::audience::Audience;
use super::claims::AccessTokenClaims;
use super::issued_token::IssuedToken;
use crate::jose::{JoseError, KeyRing, TokenType};
use crate::oauth::Grant;

/// What tokens need besides the grant.
#[derive(Clone, Copy)]
pub struct IssueContext<'a> {
    /// Who issues.
    pub issuer: &'a str,
    /// The present.
    pub now: Timestamp,
    /// The replicated state that was seen *before* the grant was decided.
    pub revision: Revision,
    /// No token may live longer, whatever its grant says: the keys are kept for no longer than this allows.
    pub lifetime_max: Duration,
    /// Where identifiers come from.
    pub entropy: &'a dyn Entropy,
}

/// OpenID Connect Core §2.
#[derive(Serialize)]
struct IdTokenClaims<'a> {
    iss: &'a str,
    sub: domain::AgentId,
    aud: domain::AgentId,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    jti: TokenId,
}

/// Signs an access token and, if `openid` was granted, an ID token.
pub fn issue(grant: &Grant, ring: &KeyRing, ctx: &IssueContext<'_>) -> Result<IssuedToken, JoseError> {
    let claims = access_token_claims(grant, ctx);
    let access_token = ring.sign(grant.algorithm, TokenType::AccessToken, &claims)?;
    let id_token = match grant.scope.contains(Scope::OpenId) {
        true => Some(sign_id_token(grant, ring, ctx, &claims)?),
        false => None,
    };
    Ok(IssuedToken {
        access_token: Secret::new(access_token),
        id_token,
        expires_in: grant.lifetime.min(ctx.lifetime_max).as_secs(),
        claims,
    })
}

fn access_token_claims(grant: &Grant, ctx: &IssueContext<'_>) -> AccessTokenClaims {
    let iat = ctx.now.as_seconds();
    AccessTokenClaims {
        iss: ctx.issuer.to_owned(),
        sub: grant.agent,
        client_id: grant.agent,
        aud: Audience::new(&grant.audience, ctx.issuer),
        scope: grant.scope,
        jti: TokenId::mint(ctx.now, ctx.entropy),
        iat,
        exp: expiry(iat, grant.lifetime.min(ctx.lifetime_max)),
        nbf: None,
        organization_id: grant.organization,
        family: grant.family.unwrap_or_else(|| TokenFamily::mint(ctx.now, ctx.entropy)),
        credential_id: grant.credential,
        rev: ctx.revision,
    }
}

fn expiry(iat: i64, lifetime: Duration) -> i64 {
    iat.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX))
}

fn sign_id_token(
    grant: &Grant,
    ring: &KeyRing,
    ctx: &IssueContext<'_>,
    access: &AccessTokenClaims,
) -> Result<Secret, JoseError> {
    let claims = IdTokenClaims {
        iss: ctx.issuer,
        sub: access.sub,
        aud: access.client_id,
        iat: access.iat,
        exp: access.exp,
        nonce: grant.nonce.as_deref(),
        jti: TokenId::mint(ctx.now, ctx.entropy),
    };
    ring.sign(grant.algorithm, TokenType::IdToken, &claims).map(Secret::new)
}

#[cfg(test)]
mod tests;
