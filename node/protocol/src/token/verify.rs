//! Checking an access token (RFC 9068 §4): its signature, then whether it is ours, meant for us and alive.
//!
//! Not here: whether it was revoked. That is known to the replicated state, by [`AccessTokenClaims::facts`].

use std::time::Duration;

use domain::Timestamp;

use super::claims::AccessTokenClaims;
use crate::jose::{KeyRing, TokenRejection, TokenType};

/// By how much a token's `nbf` may be in the future, because clocks differ. There is none for the expiry: a token must
/// not live on after its revocation has been forgotten.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// What a token is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// Who must have issued it.
    pub issuer: &'a str,
    /// Whom it must be meant for; `None` if that is somebody else's question, as it is in introspection.
    pub audience: Option<&'a str>,
    /// The present.
    pub now: Timestamp,
}

impl KeyRing {
    /// The claims of a token that passes every check. Whatever the token holds, this answers; it never panics.
    pub fn verify_access_token(
        &self,
        token: &str,
        expect: &Expectations<'_>,
    ) -> Result<AccessTokenClaims, TokenRejection> {
        let payload = self.verify(token, TokenType::AccessToken)?;
        let claims: AccessTokenClaims = serde_json::from_slice(&payload).map_err(|_| TokenRejection::Malformed)?;
        expect.check(&claims)?;
        Ok(claims)
    }
}

impl Expectations<'_> {
    /// Checks claims whose signature has been verified, now or earlier: what is remembered of a token must be held
    /// against the present again.
    ///
    /// `iat` is not: whatever bears a signature of ours has been issued, and one from the future only tells that two nodes'
    /// clocks differ, which is no reason to refuse a token that its holder has just got.
    pub fn check(&self, claims: &AccessTokenClaims) -> Result<(), TokenRejection> {
        if claims.iss != self.issuer {
            return Err(TokenRejection::WrongIssuer);
        }
        if self.audience.is_some_and(|audience| !claims.aud.contains(audience)) {
            return Err(TokenRejection::WrongAudience);
        }
        if self.now >= claims.expires_at() {
            return Err(TokenRejection::Expired);
        }
        let latest = self.now.plus(CLOCK_LEEWAY);
        if claims.nbf.is_some_and(|nbf| Timestamp::from_seconds(nbf) > latest) {
            return Err(TokenRejection::NotYetValid);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
