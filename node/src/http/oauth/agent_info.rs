//! `GET /agent-info` (OpenID Connect Core §5.3): what we know of the bearer.

use protocol::oauth::BearerError;
use serde_json::json;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_store, ok};

/// The claims about the agent that the bearer token speaks for.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let caller = call.caller()?;
    // A token outlives its agent's row only for as long as the row's end takes to be known here.
    let agent = call
        .services
        .agents
        .find(caller.organization, caller.agent)
        .await?
        .ok_or(BearerError::Invalid)?;
    Ok(no_store(ok(&json!({
        "sub": agent.agent_id,
        "organization_id": agent.organization_id,
        "scope": caller.scopes,
        "email": agent.email,
        "agent_type": agent.agent_type,
        "version": agent.version,
        "capabilities": agent.capabilities,
        "owner": agent.owner,
        "deployment_env": agent.deployment_env,
        "updated_at": agent.updated_at.as_seconds(),
    }))))
}
