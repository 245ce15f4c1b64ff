//! `GET /api/v1/agents/{agentId}/credentials`: an agent's credentials, never a secret.

use domain::CredentialStatus;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, ok};

/// A page of them, filtered by `status`; 404 if the agent is not this organization's.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let (agent_id, organization) = (call.agent_id()?, call.caller()?.organization);
    let mut query = call.query()?;
    let (page, status) = (query.page(), query.get::<CredentialStatus>("status"));
    query.finish()?;
    call.services
        .agents
        .find(organization, agent_id)
        .await?
        .ok_or_else(ApiError::agent_not_found)?;
    Ok(ok(&call
        .services
        .credentials
        .list(organization, agent_id, status, page)
        .await?))
}
