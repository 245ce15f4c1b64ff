//! `GET /api/v1/agents/{agentId}`: one agent.

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, ok, with_etag};

/// 200 with the agent; 404 if it is not this organization's.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let agent = call
        .services
        .agents
        .find(call.caller()?.organization, call.agent_id()?)
        .await?;
    let agent = agent.ok_or_else(ApiError::agent_not_found)?;
    Ok(with_etag(ok(&agent), agent.row_version))
}
