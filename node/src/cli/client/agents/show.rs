//! How one agent is printed.

use sdk::{Agent, Versioned};

use crate::cli::client::failure::Failure;
use crate::cli::client::output::{Output, or_dash};

/// Prints an agent and its revision.
pub fn show(out: &mut Output<'_>, agent: &Versioned<Agent>) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(out.json(&agent.value)?);
    }
    let revision = agent
        .etag
        .as_ref()
        .map(|etag| etag.as_str().trim_matches('"').to_owned());
    Ok(out.page([
        ("agent", agent.agent_id.to_string()),
        ("email", agent.email.clone()),
        ("type", agent.agent_type.to_string()),
        ("version", agent.version.clone()),
        (
            "capabilities",
            or_dash(Some(agent.capabilities.join(" ")).filter(|all| !all.is_empty())),
        ),
        ("owner", agent.owner.clone()),
        ("environment", agent.deployment_env.to_string()),
        ("status", agent.status.to_string()),
        ("public", if agent.is_public { "yes" } else { "no" }.to_owned()),
        ("did", or_dash(agent.did.clone())),
        ("organization", agent.organization_id.to_string()),
        ("created", agent.created_at.to_string()),
        ("updated", agent.updated_at.to_string()),
        ("revision", or_dash(revision)),
    ])?)
}
