//! `DELETE /api/v1/agents/{agentId}/credentials/{credentialId}`: ends a credential and the tokens issued from it.

use super::credential_id;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_content};

/// 204; 409 if it was revoked before.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let (agent_id, credential_id) = (call.agent_id()?, credential_id(&call)?);
    call.services
        .tenants
        .revoke_credential(call.caller()?, agent_id, credential_id)
        .await?;
    call.services.meters.revocation("credential");
    Ok(no_content())
}
