//! An organization: a tenant, which owns agents and sees nothing of the others.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::OrganizationId;
use crate::named::named;
use crate::time::Timestamp;

named! {
    /// Where an organization stands.
    OrganizationStatus {
        /// Its agents work.
        Active = "active",
        /// Its agents can do nothing.
        Suspended = "suspended",
        /// Gone; kept for its audit log.
        Deleted = "deleted",
    }
}

named! {
    /// How much an organization may use.
    Tier {
        /// 10 agents.
        Free = "free",
        /// 100 agents.
        Pro = "pro",
        /// Unlimited.
        Enterprise = "enterprise",
    }
}

named! {
    /// A JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1). Asymmetric only: `none` and HMAC can't be expressed.
    SigningAlgorithm {
        /// Ed25519; the default.
        EdDsa = "EdDSA",
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// RSASSA-PKCS1-v1_5 with SHA-256, for verifiers that know nothing else.
        Rs256 = "RS256",
    }
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Identifies it everywhere and for ever.
    pub organization_id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// Its name in paths: unique, lower case letters, digits and hyphens.
    pub slug: String,
    /// Where it stands.
    pub status: OrganizationStatus,
    /// How much it may use.
    pub tier: Tier,
    /// How long its access tokens live, in seconds: 60–86400.
    pub token_ttl_seconds: u32,
    /// What its tokens are signed with.
    pub signing_algorithm: SigningAlgorithm,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes from 1.
    #[serde(skip)]
    pub row_version: u64,
}

impl Organization {
    /// The slug of the organization that operates the installation.
    pub const SYSTEM_SLUG: &'static str = "system";
    /// How long a token lives when nobody says otherwise, in seconds.
    pub const TOKEN_TTL_SECONDS_DEFAULT: u32 = 3600;
    /// The longest life that a token may be given: how long a revocation must be remembered.
    pub const TOKEN_TTL_MAX: Duration = Duration::from_secs(86_400);

    /// A new, active organization with the default settings.
    pub fn new(organization_id: OrganizationId, name: &str, slug: &str, now: Timestamp) -> Self {
        Self {
            organization_id,
            name: name.to_owned(),
            slug: slug.to_owned(),
            status: OrganizationStatus::Active,
            tier: Tier::Free,
            token_ttl_seconds: Self::TOKEN_TTL_SECONDS_DEFAULT,
            signing_algorithm: SigningAlgorithm::EdDsa,
            created_at: now,
            updated_at: now,
            row_version: 1,
        }
    }
}
