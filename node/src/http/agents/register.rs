//! `POST /api/v1/agents`: registers an agent.

use http::StatusCode;

use super::body;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_response, with_etag};

/// 201 with the agent; 409 if the email is taken.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let new = body::new_agent(call.fields()?)?;
    let agent = call.services.tenants.register_agent(call.caller()?, new).await?;
    call.services.meters.agent_registered(agent.deployment_env);
    Ok(with_etag(json_response(StatusCode::CREATED, &agent), agent.row_version))
}
