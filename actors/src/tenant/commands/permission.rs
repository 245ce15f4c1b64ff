//! Whose credentials a caller may manage, and how much they may allow.

use domain::{AgentId, Scope, ScopeSet};

use super::WriteContext;
use crate::error::TenantError;
use crate::tenant::requests::Caller;

/// Without `admin:orgs` an agent manages only its own credentials.
pub(super) fn check_owner(caller: &Caller, agent: AgentId) -> Result<(), TenantError> {
    if caller.agent == agent || caller.scopes.contains(Scope::AdminOrgs) {
        Ok(())
    } else {
        Err(TenantError::Forbidden)
    }
}

/// What a credential may allow that this caller gets hold of: no more than the credential that the caller came with, or
/// one that was narrowed could be used to get one that is not. `None` is everything, `admin:orgs` included.
pub(super) async fn widest(context: &WriteContext, caller: &Caller) -> Result<Option<ScopeSet>, TenantError> {
    if caller.scopes.contains(Scope::AdminOrgs) {
        return Ok(None);
    }
    let own = context
        .credentials
        .find(caller.organization, caller.agent, caller.credential)
        .await?;
    let own = own.ok_or(TenantError::Forbidden)?;
    Ok(Some(own.scopes.unwrap_or(ScopeSet::unnarrowed())))
}

/// Whether a credential with these scopes allows no more than `widest`.
pub(super) fn check_no_wider(scopes: Option<ScopeSet>, widest: Option<ScopeSet>) -> Result<(), TenantError> {
    let scopes = scopes.unwrap_or(ScopeSet::unnarrowed());
    let is_allowed = widest.is_none_or(|widest| scopes.is_subset_of(widest));
    if is_allowed {
        Ok(())
    } else {
        Err(TenantError::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_narrowed_begets_nothing_wider() {
        let set = |text: &str| Some(text.parse::<ScopeSet>().expect("scopes"));
        let is_allowed = |scopes, widest| check_no_wider(scopes, widest).is_ok();
        assert!(is_allowed(None, None));
        assert!(is_allowed(set("agents:write"), None));
        assert!(is_allowed(set("agents:write"), set("agents:write agents:read")));
        assert!(!is_allowed(set("audit:read"), set("agents:write agents:read")));
        assert!(!is_allowed(None, set("agents:write agents:read")));
        let unnarrowed = Some(ScopeSet::unnarrowed());
        assert!(is_allowed(None, unnarrowed));
        assert!(!is_allowed(set("admin:orgs"), unnarrowed));
    }
}
