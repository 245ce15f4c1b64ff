//! `PATCH /api/v1/agents/{agentId}`: changes an agent, suspends it, reactivates it or ends it.

use super::body;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, ok, with_etag};

/// 200 with the agent as it is now. A suspended agent's tokens are dead on every reachable node by then.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let (agent_id, expected) = (call.agent_id()?, call.if_match()?);
    let patch = body::patch(call.fields()?)?;
    let agent = call
        .services
        .tenants
        .update_agent(call.caller()?, agent_id, patch, expected)
        .await?;
    Ok(with_etag(ok(&agent), agent.row_version))
}
