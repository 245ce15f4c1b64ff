//! `POST /api/v1/agents/{agentId}/credentials/{credentialId}/rotate`: replaces a client secret.

use std::time::Duration;

use actors::RotateCredential;
use domain::Credential;
use http::StatusCode;

use super::{credential_id, generate, shown_once};
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::Response;

/// 200 with the new secret. The old one is dead by then, unless `overlapSeconds` asked for a respite.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let (agent_id, credential_id) = (call.agent_id()?, credential_id(&call)?);
    let mut fields = call.fields()?;
    let expires_at = generate::future_time(&mut fields, call.services.clock.now());
    let overlap = fields.number("overlapSeconds");
    if overlap.is_some_and(|seconds| seconds > u64::from(Credential::OVERLAP_SECONDS_MAX)) {
        fields.reject::<()>("overlapSeconds", "must be at most 86400");
    }
    fields.finish()?;
    let rotation = RotateCredential {
        expires_at,
        overlap: overlap.filter(|seconds| *seconds > 0).map(Duration::from_secs),
    };
    let (credential, secret) = call
        .services
        .tenants
        .rotate_credential(call.caller()?, agent_id, credential_id, rotation)
        .await?;
    shown_once::reply(StatusCode::OK, &credential, &secret)
}
