//! `POST /oauth2/revoke` (RFC 7009): kills a token, everywhere, before the answer is sent.

use actors::{Caller, LimitClass};
use domain::{
    Action, Applied, AuditRecord, EventId, JsonText, Outcome, ReplicatedChange, Revocation, Scope, Subject, Timestamp,
};
use http::StatusCode;
use protocol::oauth::TokenQuery;
use protocol::token::AccessTokenClaims;

use super::client::{authenticate, require_form};
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::limits;
use crate::http::reply::{Response, json_bytes, no_store};
use crate::http::verifier::{CLOCKS_LATE_MAX, VerificationError};

/// 200 also for a token that is unknown or expired (RFC 7009 §2.2), if this node can tell that it is. One that is revoked
/// already is revoked once more, which changes nothing but is recorded: the caller's first request may have been carried out
/// without being answered, and then nothing tells of it.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    require_form(&call)?;
    let query = TokenQuery::parse(&call.body, call.authorization())?;
    let caller = authenticate(&call, &query.caller).await?;
    let permit = limits::admit(&call.services, caller.agent, LimitClass::Requests).await?;
    match call.services.verifier.verify_to_revoke(query.token.expose()).await {
        Ok(claims) => {
            check_ownership(&caller, &claims)?;
            revoke(&call, &caller, &claims).await?;
        }
        Err(VerificationError::Refused(refusal)) => tracing::debug!(?refusal, "nothing to revoke"),
        Err(VerificationError::Unavailable(error)) => return Err(error.into()),
    }
    Ok(permit.onto(no_store(json_bytes(StatusCode::OK, "{}"))))
}

/// An agent kills its own tokens; its organization's administrators all of the organization's.
fn check_ownership(caller: &Caller, claims: &AccessTokenClaims) -> Result<(), ApiError> {
    if claims.sub == caller.agent || caller.scopes.contains(Scope::AdminOrgs) {
        Ok(())
    } else {
        Err(ApiError::forbidden(
            "an agent revokes its own tokens only; to revoke another's, admin:orgs is needed",
        ))
    }
}

async fn revoke(call: &Call, caller: &Caller, claims: &AccessTokenClaims) -> Result<(), ApiError> {
    let forget_at = Timestamp::from_seconds(claims.exp).plus(CLOCKS_LATE_MAX);
    let revocation = Revocation {
        subject: Subject::Token(claims.jti),
        forget_at,
    };
    let applied = call
        .services
        .replication
        .apply(vec![ReplicatedChange::Revoke(revocation)])
        .await?;
    let record = record_of(call, caller, claims, &applied);
    call.services.audit.record(record).await?;
    call.services.meters.revocation("token");
    Ok(())
}

fn record_of(call: &Call, caller: &Caller, claims: &AccessTokenClaims, applied: &Applied) -> AuditRecord {
    let now = call.services.clock.now();
    let (jti, subject) = (claims.jti.to_string(), claims.sub.to_string());
    let missed = applied.unconfirmed_list();
    let mut metadata = vec![("jti", jti.as_str()), ("targetAgentId", subject.as_str())];
    if !missed.is_empty() {
        metadata.push(("unconfirmedMembers", &missed));
    }
    AuditRecord {
        event_id: EventId::mint(now, call.services.entropy.as_ref()),
        organization_id: claims.organization_id,
        agent_id: Some(caller.agent),
        action: Action::TokenRevoked,
        outcome: Outcome::Success,
        origin: call.origin.clone(),
        metadata: JsonText::object(&metadata),
        timestamp: now,
    }
}
