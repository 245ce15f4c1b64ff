//! `GET /api/v1/agents`: the organization's agents.

use domain::AgentFilter;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::fields::TEXT_MAX;
use crate::http::reply::{Response, ok};

/// A page of the agents that match `status`, `agentType`, `owner`, `deploymentEnv` and `q`.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let mut query = call.query()?;
    let page = query.page();
    let filter = AgentFilter {
        status: query.get("status"),
        agent_type: query.get("agentType"),
        owner: query.text("owner"),
        deployment_env: query.get("deploymentEnv"),
        q: query.text("q"),
    };
    for (name, text) in [("owner", &filter.owner), ("q", &filter.q)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_MAX) {
            query.reject(name, "must have at most 256 characters");
        }
    }
    query.finish()?;
    Ok(ok(&call
        .services
        .agents
        .list(call.caller()?.organization, &filter, page)
        .await?))
}
