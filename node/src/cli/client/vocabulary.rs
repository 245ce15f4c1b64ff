//! Words that options take, as clap wants them: with completion, and a list of them when a wrong one is given.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use sdk::{AgentStatus, AgentType, CredentialStatus, DeploymentEnv, Outcome};

/// The kinds of agents.
pub fn agent_type() -> impl TypedValueParser<Value = AgentType> {
    PossibleValuesParser::new(AgentType::NAMES).map(|name| AgentType::from(name.as_str()))
}

/// Where agents run.
pub fn deployment_env() -> impl TypedValueParser<Value = DeploymentEnv> {
    PossibleValuesParser::new(DeploymentEnv::NAMES).map(|name| DeploymentEnv::from(name.as_str()))
}

/// Where agents stand.
pub fn agent_status() -> impl TypedValueParser<Value = AgentStatus> {
    PossibleValuesParser::new(AgentStatus::NAMES).map(|name| AgentStatus::from(name.as_str()))
}

/// Where credentials stand.
pub fn credential_status() -> impl TypedValueParser<Value = CredentialStatus> {
    PossibleValuesParser::new(CredentialStatus::NAMES).map(|name| CredentialStatus::from(name.as_str()))
}

/// How things end.
pub fn outcome() -> impl TypedValueParser<Value = Outcome> {
    PossibleValuesParser::new(Outcome::NAMES).map(|name| Outcome::from(name.as_str()))
}

/// A revision for `If-Match`.
pub fn revision(text: &str) -> Result<sdk::ETag, String> {
    sdk::ETag::parse(text).ok_or_else(|| "must be a revision as `agentidp agents get` prints it, such as 3".to_owned())
}
