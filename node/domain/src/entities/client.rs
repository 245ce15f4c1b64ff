//! Everything that is needed to authenticate an agent and decide what it may have, read in one round trip.

use super::{Agent, Organization, StoredCredential};
use crate::{Scope, ScopeSet, Timestamp};

/// An agent seen as an OAuth client (RFC 6749 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRecord {
    /// The settings of its organization.
    pub organization: Organization,
    /// The agent.
    pub agent: Agent,
    /// Its credentials that are not revoked, expired ones included.
    pub credentials: Vec<StoredCredential>,
}

impl ClientRecord {
    /// What tokens from one of its credentials may hold at most. `admin:orgs` belongs to the system organization, whatever a
    /// credential names.
    pub fn allowed(&self, credential: &StoredCredential) -> ScopeSet {
        let of_the_organization = match self.organization.slug == Organization::SYSTEM_SLUG {
            true => ScopeSet::all(),
            false => ScopeSet::unnarrowed(),
        };
        let of_the_credential = credential.credential.scopes.unwrap_or(ScopeSet::unnarrowed());
        of_the_organization.intersection(of_the_credential)
    }

    /// Whether it has a credential that allows `admin:orgs` at `now`.
    pub fn is_administrator(&self, now: Timestamp) -> bool {
        self.credentials
            .iter()
            .any(|stored| stored.credential.is_usable(now) && self.allowed(stored).contains(Scope::AdminOrgs))
    }
}
