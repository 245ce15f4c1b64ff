//! `DELETE /api/v1/agents/{agentId}`: ends an agent for ever.

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_content};

/// 204. Its credentials are revoked and its tokens dead on every reachable node by then.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let (agent_id, expected) = (call.agent_id()?, call.if_match()?);
    call.services
        .tenants
        .decommission_agent(call.caller()?, agent_id, expected)
        .await?;
    call.services.meters.revocation("agent");
    Ok(no_content())
}
