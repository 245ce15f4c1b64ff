//! `POST /oauth2/introspect` (RFC 7662): whether a token is alive, and what it says.

use actors::{Caller, LimitClass};
use domain::{Action, AuditRecord, EventId, JsonText, Outcome, Scope, ScopeSet};
use protocol::oauth::{BearerError, TokenQuery};
use protocol::token::introspection;

use super::client::{authenticate, require_form};
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::limits;
use crate::http::reply::{Response, json_bytes, no_store};
use crate::http::verifier::{VerificationError, VerifiedToken};

/// Always 200 for whoever may ask; everything that is not a live token of this organization is just not active.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    require_form(&call)?;
    let query = TokenQuery::parse(&call.body, call.authorization())?;
    let caller = authenticate(&call, &query.caller).await?;
    if !caller.scopes.contains(Scope::TokensRead) {
        return Err(BearerError::InsufficientScope(ScopeSet::EMPTY.with(Scope::TokensRead)).into());
    }
    let permit = limits::admit(&call.services, caller.agent, LimitClass::Introspect).await?;
    let verified = match call.services.verifier.verify_any(query.token.expose()).await {
        Ok(verified) => Some(verified).filter(|verified| may_see(&caller, verified)),
        Err(VerificationError::Refused(refusal)) => {
            tracing::debug!(?refusal, "a token is not active");
            None
        }
        Err(VerificationError::Unavailable(error)) => return Err(error.into()),
    };
    if let Some(verified) = &verified {
        audit_first_look(&call, &caller, verified)?;
    }
    call.services.meters.introspection(verified.is_some());
    let body = match &verified {
        Some(verified) => introspection::active(&verified.claims),
        None => introspection::INACTIVE.to_owned(),
    };
    Ok(permit.onto(no_store(json_bytes(http::StatusCode::OK, body))))
}

/// Another organization's tokens are none of the caller's business, unless the caller operates the installation.
fn may_see(caller: &Caller, token: &VerifiedToken) -> bool {
    token.claims.organization_id == caller.organization || caller.scopes.contains(Scope::AdminOrgs)
}

/// The log tells who has looked at which token; the same caller's further looks at it add nothing. Looking changes nothing,
/// so the answer does not wait for the record; where no record can be taken, there is no answer.
fn audit_first_look(call: &Call, caller: &Caller, token: &VerifiedToken) -> Result<(), ApiError> {
    let services = &call.services;
    if services.seen.contains(&token.digest, caller.agent) {
        return Ok(());
    }
    let now = services.clock.now();
    let (jti, subject) = (token.claims.jti.to_string(), token.claims.sub.to_string());
    let record = AuditRecord {
        event_id: EventId::mint(now, services.entropy.as_ref()),
        organization_id: caller.organization,
        agent_id: Some(caller.agent),
        action: Action::TokenIntrospected,
        outcome: Outcome::Success,
        origin: call.origin.clone(),
        metadata: JsonText::object(&[("jti", &jti), ("targetAgentId", &subject)]),
        timestamp: now,
    };
    services.audit.submit_unhurried(record)?;
    services.seen.insert(token.digest, caller.agent);
    Ok(())
}
