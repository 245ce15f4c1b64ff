//! The fields of an agent in a request body.

use domain::entities::parse_version;
use domain::{AgentPatch, NewAgent};

use crate::http::error::ApiError;
use crate::http::fields::Fields;

/// The most capabilities that an agent may have.
const CAPABILITIES_MAX: usize = 64;

/// An agent that is to be registered; every field but `isPublic` and `capabilities` must be there.
pub fn new_agent(mut fields: Fields) -> Result<NewAgent, ApiError> {
    let [email, agent_type, version, owner, deployment_env] = REQUIRED.map(|name| fields.has(name));
    let patch = read(&mut fields);
    let email = fields.require("email", email, patch.email);
    let agent_type = fields.require("agentType", agent_type, patch.agent_type);
    let version = fields.require("version", version, patch.version);
    let owner = fields.require("owner", owner, patch.owner);
    let deployment_env = fields.require("deploymentEnv", deployment_env, patch.deployment_env);
    fields.finish()?;
    let (Some(email), Some(agent_type), Some(version), Some(owner), Some(deployment_env)) =
        (email, agent_type, version, owner, deployment_env)
    else {
        return Err(ApiError::Internal(
            "a field that was read and not refused has no value".to_owned(),
        ));
    };
    let (capabilities, is_public) = (patch.capabilities.unwrap_or_default(), patch.is_public.unwrap_or(false));
    Ok(NewAgent {
        email,
        agent_type,
        version,
        capabilities,
        owner,
        deployment_env,
        is_public,
    })
}

/// The fields of an agent that are to be changed.
pub fn patch(mut fields: Fields) -> Result<AgentPatch, ApiError> {
    let mut patch = read(&mut fields);
    patch.status = fields.parsed("status");
    fields.finish()?;
    Ok(patch)
}

const REQUIRED: [&str; 5] = ["email", "agentType", "version", "owner", "deploymentEnv"];

fn read(fields: &mut Fields) -> AgentPatch {
    AgentPatch {
        email: fields.parsed("email"),
        agent_type: fields.parsed("agentType"),
        version: fields.parsed_with("version", parse_version),
        capabilities: fields.list("capabilities", CAPABILITIES_MAX),
        owner: fields.text("owner"),
        deployment_env: fields.parsed("deploymentEnv"),
        is_public: fields.flag("isPublic"),
        status: None,
    }
}
