//! Everything that is needed to authenticate an agent and decide what it may have, read in one round trip.

use super::{Agent, Organization, StoredCredential};

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
