//! Which scopes a client may ask for, and which it gets.

use domain::{ClientRecord, Organization, Scope, ScopeSet, StoredCredential};

use crate::oauth::error::{OAuthError, OAuthErrorCode};

/// What a request that names no scope asks for.
const DEFAULT: ScopeSet = ScopeSet::EMPTY.with(Scope::AgentsRead);

/// Every scope that the client may ask for with this credential. `admin:orgs` belongs to the system organization,
/// whatever a credential was narrowed to.
pub(super) fn maximum(record: &ClientRecord, credential: &StoredCredential) -> ScopeSet {
    let of_the_organization: ScopeSet = Scope::ALL
        .iter()
        .copied()
        .filter(|scope| *scope != Scope::AdminOrgs || record.organization.slug == Organization::SYSTEM_SLUG)
        .collect();
    let of_the_credential = credential.credential.scopes.unwrap_or(of_the_organization);
    of_the_organization.intersection(of_the_credential)
}

/// What is granted of what was asked: all of it or nothing (RFC 6749 §3.3), so no client works with less than it
/// believes to have.
pub(super) fn choose(asked: Option<ScopeSet>, maximum: ScopeSet) -> Result<ScopeSet, OAuthError> {
    let wanted = asked.unwrap_or(DEFAULT);
    if wanted.is_subset_of(maximum) && !wanted.is_empty() {
        return Ok(wanted);
    }
    let advice = if maximum.is_empty() {
        "This credential allows no scope; create another.".to_owned()
    } else {
        format!("Ask for no more than this credential allows: {maximum}.")
    };
    Err(OAuthError::new(OAuthErrorCode::InvalidScope, advice))
}
