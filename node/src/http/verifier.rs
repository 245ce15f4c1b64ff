//! Checks access tokens. A signature is checked once, and one that was made here not at all; the cache remembers that,
//! never that the token is alive: its time and its revocation are looked up for every request, and once the keys have
//! changed its signature is, too.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use domain::Revision;
use domain::ports::{Clock, ReplicationError, RevocationView};
use protocol::jose::TokenRejection;
use protocol::token::{AccessTokenClaims, Expectations};
use quick_cache::sync::Cache;

use super::keys::{Keys, Ring};

/// How many verified tokens are remembered. At some 600 bytes each this bounds the memory to about 20 MiB.
const VERIFIED_MAX: usize = 32_768;

/// How late the clock of another node may be: it holds a token for alive so much longer.
pub const CLOCKS_LATE_MAX: Duration = Duration::from_secs(300);

/// What identifies a token in caches: SHA-256 of its text, so that the token itself is not kept.
pub type TokenDigest = [u8; 32];

/// A token that holds.
#[derive(Clone)]
pub struct VerifiedToken {
    /// What it says.
    pub claims: Arc<AccessTokenClaims>,
    /// What identifies it.
    pub digest: TokenDigest,
}

/// Why a token does not hold.
#[derive(Debug)]
pub enum VerificationError {
    /// It is not ours, not whole, not yet or no longer valid, or was revoked.
    Refused(Refusal),
    /// This node can't tell now.
    Unavailable(ReplicationError),
}

/// The reason, for logs and metrics; callers are not told.
#[derive(Debug)]
pub enum Refusal {
    /// The token itself is at fault.
    Rejected(TokenRejection),
    /// It has been revoked, or its credential, agent or organization has.
    Revoked,
}

/// A signature that was checked, and the ring that it was checked with.
type Verified = (Revision, Arc<AccessTokenClaims>);

/// Verifies tokens against the ring in force and the replicated revocations.
pub struct TokenVerifier {
    issuer: String,
    keys: Arc<Keys>,
    revocations: Arc<dyn RevocationView>,
    clock: Arc<dyn Clock>,
    verified: Cache<TokenDigest, Verified>,
}

impl TokenVerifier {
    /// For tokens of this issuer.
    pub fn new(issuer: String, keys: Arc<Keys>, revocations: Arc<dyn RevocationView>, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer,
            keys,
            revocations,
            clock,
            verified: Cache::new(VERIFIED_MAX),
        }
    }

    /// Checks a token that is presented to ourselves: it must be meant for us.
    pub fn verify_bearer(&self, token: &str) -> Result<VerifiedToken, VerificationError> {
        self.verify(token, Some(&self.issuer))
    }

    /// Checks a token whoever it is meant for, as introspection does.
    pub fn verify_any(&self, token: &str) -> Result<VerifiedToken, VerificationError> {
        self.verify(token, None)
    }

    /// Takes note of a token that was signed here with this ring.
    pub fn on_issued(&self, token: &str, claims: AccessTokenClaims, ring: &Ring) {
        self.verified
            .insert(digest_of(token), (ring.changed_at, Arc::new(claims)));
    }

    /// The claims of a token of ours that is to be killed. It may be dead already: the answer to whoever killed it may have
    /// been lost, and with it the record. And it may have expired here for as long as other nodes' clocks may be late.
    pub fn verify_to_revoke(&self, token: &str) -> Result<Arc<AccessTokenClaims>, TokenRejection> {
        let expect = Expectations {
            issuer: &self.issuer,
            audience: None,
            now: self.clock.now().minus(CLOCKS_LATE_MAX),
        };
        let claims = self.keys.current().ring.verify_access_token(token, &expect)?;
        Ok(Arc::new(claims))
    }

    fn verify(&self, token: &str, audience: Option<&str>) -> Result<VerifiedToken, VerificationError> {
        let expect = Expectations {
            issuer: &self.issuer,
            audience,
            now: self.clock.now(),
        };
        let digest = digest_of(token);
        let claims = match self.verified.get(&digest) {
            Some((ring, claims)) if ring == self.keys.current().changed_at => expect.check(&claims).map(|()| claims),
            _ => self.check_signature(token, digest, &expect),
        };
        let claims = claims.map_err(|rejection| refusal(rejection, self.revocations.revision()))?;
        match self.revocations.is_revoked(&claims.facts()) {
            Ok(false) => Ok(VerifiedToken { claims, digest }),
            Ok(true) => Err(VerificationError::Refused(Refusal::Revoked)),
            Err(error) => Err(VerificationError::Unavailable(error)),
        }
    }

    fn check_signature(
        &self,
        token: &str,
        digest: TokenDigest,
        expect: &Expectations<'_>,
    ) -> Result<Arc<AccessTokenClaims>, TokenRejection> {
        let keys = self.keys.current();
        let claims = Arc::new(keys.ring.verify_access_token(token, expect)?);
        self.verified.insert(digest, (keys.changed_at, claims.clone()));
        Ok(claims)
    }
}

/// What to say of a token that is rejected: one whose key is unknown may have been signed with a key of which a node without
/// a recent view has not heard.
fn refusal(rejection: TokenRejection, view: Result<Revision, ReplicationError>) -> VerificationError {
    match (&rejection, view) {
        (TokenRejection::UnknownKey, Err(error)) => VerificationError::Unavailable(error),
        _ => VerificationError::Refused(Refusal::Rejected(rejection)),
    }
}

fn digest_of(token: &str) -> TokenDigest {
    let mut bytes = [0u8; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_cut_off_does_not_take_a_key_that_it_does_not_know_for_none() {
        let is_unavailable = |rejection, view| matches!(refusal(rejection, view), VerificationError::Unavailable(_));
        assert!(is_unavailable(TokenRejection::UnknownKey, Err(ReplicationError::Stale)));
        assert!(!is_unavailable(TokenRejection::UnknownKey, Ok(Revision(1))));
        assert!(!is_unavailable(
            TokenRejection::BadSignature,
            Err(ReplicationError::Stale)
        ));
    }
}
