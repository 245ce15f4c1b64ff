//! Which of the scopes that it asks for a client gets.

use domain::{Scope, ScopeSet};

use crate::oauth::error::{OAuthError, OAuthErrorCode};

/// What a request that names no scope asks for.
const DEFAULT: ScopeSet = ScopeSet::EMPTY.with(Scope::AgentsRead);

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
