//! `POST /api/v1/agents/{agentId}/credentials`: makes a client secret.

use actors::NewCredential;
use domain::{ScopeSet, Timestamp};
use http::StatusCode;

use super::shown_once;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::fields::Fields;
use crate::http::reply::Response;

/// The most scopes that can be named: more than there are.
const SCOPES_MAX: usize = 32;

/// 201 with the secret, which is never shown again.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let agent_id = call.agent_id()?;
    let mut fields = call.fields()?;
    let new = NewCredential {
        expires_at: future_time(&mut fields, call.services.clock.now()),
        scopes: scopes(&mut fields),
    };
    fields.finish()?;
    let (credential, secret) = call
        .services
        .tenants
        .generate_credential(call.caller()?, agent_id, new)
        .await?;
    shown_once::reply(StatusCode::CREATED, &credential, &secret)
}

/// `expiresAt`, which must lie in the future.
pub(super) fn future_time(fields: &mut Fields, now: Timestamp) -> Option<Timestamp> {
    let time = fields.parsed::<Timestamp>("expiresAt")?;
    if time > now {
        Some(time)
    } else {
        fields.reject("expiresAt", "must be in the future")
    }
}

/// `scopes`: a list of names, or one text with spaces between them.
fn scopes(fields: &mut Fields) -> Option<ScopeSet> {
    let set = fields.scopes("scopes", SCOPES_MAX)?;
    if set.is_empty() {
        fields.reject("scopes", "must name at least one scope, or be left out")
    } else {
        Some(set)
    }
}
