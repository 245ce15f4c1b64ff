//! Checks access tokens. A signature is checked once, and one that was made here not at all; the cache remembers that,
//! never that the token is alive: its time and its revocation are looked up for every request, and once the keys have
//! changed its signature is, too.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use domain::Revision;
use domain::ports::{Clock, Replication, ReplicationError, RevocationView};
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
    replication: Arc<dyn Replication>,
    clock: Arc<dyn Clock>,
    verified: Cache<TokenDigest, Verified>,
}

impl TokenVerifier {
    /// For tokens of this issuer.
    pub fn new(
        issuer: String,
        keys: Arc<Keys>,
        (revocations, replication): (Arc<dyn RevocationView>, Arc<dyn Replication>),
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            issuer,
            keys,
            revocations,
            replication,
            clock,
            verified: Cache::new(VERIFIED_MAX),
        }
    }

    /// Checks a token that is presented to ourselves: it must be meant for us.
    pub async fn verify_bearer(&self, token: &str) -> Result<VerifiedToken, VerificationError> {
        self.verify(token, Some(&self.issuer)).await
    }

    /// Checks a token whoever it is meant for, as introspection does.
    pub async fn verify_any(&self, token: &str) -> Result<VerifiedToken, VerificationError> {
        self.verify(token, None).await
    }

    /// Takes note of a token that was signed here with this ring.
    pub fn on_issued(&self, token: &str, claims: AccessTokenClaims, ring: &Ring) {
        self.verified
            .insert(digest_of(token), (ring.changed_at, Arc::new(claims)));
    }

    /// The claims of a token of ours that is to be killed. It may be dead already: the answer to whoever killed it may have
    /// been lost, and with it the record. And it may have expired here for as long as other nodes' clocks may be late.
    pub async fn verify_to_revoke(&self, token: &str) -> Result<AccessTokenClaims, VerificationError> {
        let expect = Expectations {
            issuer: &self.issuer,
            audience: None,
            now: self.clock.now().minus(CLOCKS_LATE_MAX),
        };
        let check = || self.keys.current().ring.verify_access_token(token, &expect);
        self.with_all_keys(check).await
    }

    async fn verify(&self, token: &str, audience: Option<&str>) -> Result<VerifiedToken, VerificationError> {
        let expect = Expectations {
            issuer: &self.issuer,
            audience,
            now: self.clock.now(),
        };
        let digest = digest_of(token);
        let check = || match self.verified.get(&digest) {
            Some((ring, claims)) if ring == self.keys.current().changed_at => expect.check(&claims).map(|()| claims),
            _ => self.check_signature(token, digest, &expect),
        };
        let claims = self.with_all_keys(check).await?;
        match self.revocations.is_revoked(&claims.facts()) {
            Ok(false) => Ok(VerifiedToken { claims, digest }),
            Ok(true) => Err(VerificationError::Refused(Refusal::Revoked)),
            Err(error) => Err(VerificationError::Unavailable(error)),
        }
    }

    /// A key that this node does not know may be one of which it has not heard yet: those that replace others in an emergency
    /// are not published ahead. So it is looked for once more when this node has all that there was when it was asked.
    async fn with_all_keys<T>(&self, check: impl Fn() -> Result<T, TokenRejection>) -> Result<T, VerificationError> {
        let mut checked = check();
        if matches!(checked, Err(TokenRejection::UnknownKey)) {
            self.replication
                .catch_up()
                .await
                .map_err(VerificationError::Unavailable)?;
            checked = check();
        }
        checked.map_err(|rejection| VerificationError::Refused(Refusal::Rejected(rejection)))
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

fn digest_of(token: &str) -> TokenDigest {
    let mut bytes = [0u8; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    bytes
}
