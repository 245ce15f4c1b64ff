//! Words that options take, as clap wants them: with completion, and a list of them when a wrong one is given.

use std::time::Duration;

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

/// The scopes that the servers of this version know.
const SCOPES: &[&str] = &[
    "agents:read",
    "agents:write",
    "tokens:read",
    "audit:read",
    "webhooks:read",
    "webhooks:write",
    "admin:orgs",
    "openid",
];

/// How alike two words must be for one to be a slip of the other.
const ALIKE_MIN: f64 = 0.7;

/// A scope, or several with spaces between them.
pub fn scopes(text: &str) -> Result<String, String> {
    match text.split_whitespace().find(|word| !SCOPES.contains(word)) {
        Some(unknown) => Err(no_such_scope(unknown)),
        None => Ok(text.to_owned()),
    }
}

fn no_such_scope(unknown: &str) -> String {
    let likeness = |scope: &&&str| (strsim::jaro_winkler(unknown, scope) * 1000.0) as u32;
    let nearest = SCOPES.iter().max_by_key(likeness);
    let alike = nearest.filter(|scope| strsim::jaro_winkler(unknown, scope) > ALIKE_MIN);
    let question = alike.map_or_else(String::new, |scope| format!("; did you mean {scope}?"));
    format!(
        "there is no scope {unknown}{question}\n  the scopes are: {}",
        SCOPES.join(" ")
    )
}

/// A duration with its unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "must be a number with a unit: ms, s, m or h, such as 30s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_scope_is_answered_with_the_nearest_and_with_all() {
        assert_eq!(scopes("agents:read  openid").as_deref(), Ok("agents:read  openid"));
        let told = scopes("openid agents:raed").expect_err("there is none");
        assert!(
            told.contains("no scope agents:raed; did you mean agents:read?"),
            "{told}"
        );
        assert!(told.contains("webhooks:write admin:orgs openid"), "{told}");
        assert!(!scopes("zzz").expect_err("there is none").contains("did you mean"));
    }

    #[test]
    fn the_scopes_are_those_of_the_server_of_this_version() {
        assert!(
            domain::Scope::ALL
                .iter()
                .map(|scope| scope.as_str())
                .eq(SCOPES.iter().copied())
        );
    }

    #[test]
    fn a_duration_without_a_unit_is_told_the_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        for bad in ["30", "", "30 parsecs"] {
            assert!(duration(bad).expect_err("refused").contains("ms, s, m or h"), "{bad:?}");
        }
    }
}
