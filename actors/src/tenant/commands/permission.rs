//! What a caller may do: whose credentials it may manage, how much they may allow, and whom it may stop.

use domain::ports::RevocationView;
use domain::{Agent, AgentId, AgentStatus, Credential, Scope, ScopeSet, Timestamp};

use super::WriteContext;
use crate::error::{Forbidden, TenantError};
use crate::tenant::requests::Caller;

/// The caller's token was looked at before the write began to wait for its turn, and may have died meanwhile.
pub(in crate::tenant) fn check_alive(caller: &Caller, revocations: &dyn RevocationView) -> Result<(), TenantError> {
    match &caller.token {
        Some(token) if revocations.is_revoked(token)? => Err(TenantError::CallerNotActive),
        Some(_) | None => Ok(()),
    }
}

/// Without `admin:orgs` an agent manages only its own credentials.
pub(super) fn check_owner(caller: &Caller, agent: AgentId) -> Result<(), TenantError> {
    if caller.agent == agent || caller.scopes.contains(Scope::AdminOrgs) {
        Ok(())
    } else {
        Err(Forbidden::NotItsOwn.into())
    }
}

/// Whether the caller may move the agent to another status. Without `admin:orgs` nobody stops an administrator, and nobody
/// brings itself back.
pub(super) async fn check_move(
    context: &WriteContext,
    caller: &Caller,
    agent: &Agent,
    to: AgentStatus,
) -> Result<(), TenantError> {
    if caller.scopes.contains(Scope::AdminOrgs) {
        return Ok(());
    }
    if caller.agent == agent.agent_id {
        let is_return = to == AgentStatus::Active && agent.status != AgentStatus::Active;
        return if is_return {
            Err(Forbidden::OwnReturn.into())
        } else {
            Ok(())
        };
    }
    let record = context.clients.load(agent.agent_id).await?;
    if record.is_some_and(|record| record.is_administrator(context.clock.now())) {
        return Err(lacks(caller, ScopeSet::EMPTY.with(Scope::AdminOrgs)));
    }
    Ok(())
}

/// What a credential may allow that this caller gets hold of: never more than what the caller came with, or what is narrow
/// or expires could be used to get what is not and does not.
pub(super) struct Bounds<'a> {
    caller: &'a Caller,
    /// What the caller's credential allows.
    credential: ScopeSet,
    /// When the caller's credential stops working, if ever.
    expires_at: Option<Timestamp>,
}

impl<'a> Bounds<'a> {
    /// What binds this caller, whose credential must be usable still.
    pub async fn of(context: &WriteContext, caller: &'a Caller, now: Timestamp) -> Result<Self, TenantError> {
        let own = context
            .credentials
            .find(caller.organization, caller.agent, caller.credential)
            .await?;
        let own = own.filter(|own| own.is_usable(now));
        Ok(Self::from(caller, &own.ok_or(TenantError::CallerNotActive)?))
    }

    fn from(caller: &'a Caller, own: &Credential) -> Self {
        Self {
            caller,
            credential: own.scopes.unwrap_or(ScopeSet::unnarrowed()),
            expires_at: own.expires_at,
        }
    }

    /// Administrators are bound by nothing.
    fn is_free(&self) -> bool {
        self.caller.scopes.contains(Scope::AdminOrgs)
    }

    /// The scopes of a new credential that is to have these. If none are named it gets those of the caller's token, unless
    /// that holds everything that a credential allows that is not narrowed.
    pub fn scopes_of_new(&self, asked: Option<ScopeSet>) -> Result<Option<ScopeSet>, TenantError> {
        if self.is_free() {
            return Ok(asked);
        }
        let allowed = self.caller.scopes.intersection(self.credential);
        let scopes = asked.unwrap_or(allowed);
        if !scopes.is_subset_of(self.credential) {
            return Err(Forbidden::WiderThanOwn.into());
        }
        if !scopes.is_subset_of(allowed) {
            return Err(lacks(self.caller, scopes));
        }
        let is_narrowed = asked.is_some() || scopes != ScopeSet::unnarrowed();
        Ok(is_narrowed.then_some(scopes))
    }

    /// Whether a credential with these scopes may be given a new secret: the caller learns the secret, so its own credential
    /// must allow as much, and only a token with `admin:orgs` gets hold of `admin:orgs`.
    pub fn check_rotation(&self, scopes: Option<ScopeSet>) -> Result<(), TenantError> {
        let scopes = scopes.unwrap_or(ScopeSet::unnarrowed());
        if self.is_free() {
            return Ok(());
        }
        if !scopes.is_subset_of(self.credential) {
            return Err(Forbidden::WiderThanOwn.into());
        }
        if scopes.contains(Scope::AdminOrgs) {
            return Err(lacks(self.caller, ScopeSet::EMPTY.with(Scope::AdminOrgs)));
        }
        Ok(())
    }

    /// When a credential stops working that is asked to at `asked`, or else at `before`: no later than the caller's own.
    pub fn expiry(
        &self,
        asked: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, TenantError> {
        let limit = self.expires_at.filter(|_| !self.is_free());
        match (asked, limit) {
            (Some(asked), Some(limit)) if asked > limit => Err(Forbidden::OutlivesOwn.into()),
            (Some(asked), _) => Ok(Some(asked)),
            (None, limit) => Ok(before.into_iter().chain(limit).min()),
        }
    }
}

/// The caller's token would have to hold these scopes too.
fn lacks(caller: &Caller, scopes: ScopeSet) -> TenantError {
    TenantError::InsufficientScope(scopes.iter().fold(caller.scopes, ScopeSet::with))
}

#[cfg(test)]
mod tests;
