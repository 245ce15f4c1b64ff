//! A credential: one client secret of an agent. What is kept is a keyed digest; the secret itself is shown once.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::ids::{AgentId, CredentialId, OrganizationId};
use crate::named::named;
use crate::scope::ScopeSet;
use crate::time::Timestamp;

named! {
    /// Where a credential stands. One that has expired is still `active` here and refused all the same.
    CredentialStatus {
        /// Can be used until it expires.
        Active = "active",
        /// Never again; tokens issued from it are dead.
        Revoked = "revoked",
    }
}

/// HMAC-SHA-256 of a client secret under the installation's digest key. Compared in constant time; never printed.
#[derive(Clone, Copy)]
pub struct SecretDigest(pub [u8; 32]);

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// A credential as callers see it; nothing in it helps to guess the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Identifies it.
    pub credential_id: CredentialId,
    /// Whose agent's it is.
    #[serde(skip_serializing)]
    pub organization_id: OrganizationId,
    /// The agent that it authenticates.
    #[serde(rename = "clientId")]
    pub agent_id: AgentId,
    /// Where it stands.
    pub status: CredentialStatus,
    /// If given, tokens from this credential hold at most these scopes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_list")]
    pub scopes: Option<ScopeSet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When a token was last taken with it; written in bulk, so up to a minute late.
    pub last_used_at: Option<Timestamp>,
}

/// Told as the list that it was asked for as.
fn as_list<S: serde::Serializer>(scopes: &Option<ScopeSet>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        scopes
            .iter()
            .flat_map(|scopes| scopes.iter())
            .map(|scope| scope.as_str()),
    )
}

impl Credential {
    /// The longest time for which a rotated secret may go on working, in seconds.
    pub const OVERLAP_SECONDS_MAX: u32 = 86_400;
    /// The most active credentials that an agent may have, expired ones included: every one is loaded, and its digest
    /// compared, whenever the agent authenticates.
    pub const ACTIVE_MAX: u32 = 20;

    /// Whether it can be used at `now`.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.status == CredentialStatus::Active && self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

/// A credential with the digests that it is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCredential {
    /// What callers see.
    pub credential: Credential,
    /// Of the secret.
    pub digest: SecretDigest,
    /// Of the secret before the last rotation, and until when it still works.
    pub previous: Option<(SecretDigest, Timestamp)>,
}

impl StoredCredential {
    /// Whether a secret with this digest opens it at `now`. The same work is done whichever digest differs.
    pub fn accepts(&self, presented: &SecretDigest, now: Timestamp) -> bool {
        let current = presented.0.ct_eq(&self.digest.0);
        let (previous, until) = self.previous.unwrap_or((self.digest, Timestamp::EPOCH));
        let overlapping = presented.0.ct_eq(&previous.0) & subtle::Choice::from(u8::from(now < until));
        bool::from(current | overlapping) && self.credential.is_usable(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn stored(expires_at: Option<i64>, previous: Option<(u8, i64)>) -> StoredCredential {
        StoredCredential {
            credential: Credential {
                credential_id: CredentialId(Uuid::nil()),
                organization_id: OrganizationId(Uuid::nil()),
                agent_id: AgentId(Uuid::nil()),
                status: CredentialStatus::Active,
                scopes: None,
                created_at: Timestamp::EPOCH,
                expires_at: expires_at.map(Timestamp::from_millis),
                revoked_at: None,
                last_used_at: None,
            },
            digest: SecretDigest([1; 32]),
            previous: previous.map(|(byte, until)| (SecretDigest([byte; 32]), Timestamp::from_millis(until))),
        }
    }

    #[test]
    fn a_credential_works_until_the_instant_it_expires() {
        let credential = stored(Some(100), None);
        assert!(credential.accepts(&SecretDigest([1; 32]), Timestamp::from_millis(99)));
        assert!(!credential.accepts(&SecretDigest([1; 32]), Timestamp::from_millis(100)));
        assert!(!credential.accepts(&SecretDigest([2; 32]), Timestamp::from_millis(99)));
    }

    #[test]
    fn the_former_secret_works_only_during_the_overlap() {
        let credential = stored(None, Some((7, 50)));
        assert!(credential.accepts(&SecretDigest([7; 32]), Timestamp::from_millis(49)));
        assert!(!credential.accepts(&SecretDigest([7; 32]), Timestamp::from_millis(50)));
        assert!(credential.accepts(&SecretDigest([1; 32]), Timestamp::from_millis(50)));
    }

    #[test]
    fn a_revoked_credential_accepts_nothing() {
        let mut credential = stored(None, None);
        credential.credential.status = CredentialStatus::Revoked;
        assert!(!credential.accepts(&SecretDigest([1; 32]), Timestamp::EPOCH));
    }

    #[test]
    fn digests_do_not_print() {
        assert_eq!(format!("{:?}", SecretDigest([9; 32])), "SecretDigest(…)");
    }
}
