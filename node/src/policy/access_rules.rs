//! The access rules, read from `policies/data/scopes.json` when the node starts. A route without a rule stops the start.

use std::collections::BTreeMap;

use domain::Scope;
use serde::Deserialize;

/// The rules that are compiled into the node.
const BUILT_IN: &str = include_str!("../../../policies/data/scopes.json");

/// What a caller must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A bearer token, whatever its scope.
    AnyBearer,
    /// A bearer token that holds this scope.
    Scope(Scope),
    /// The operators' token.
    Operator,
    /// The endpoint authenticates clients itself, as its RFC says; a scope, if one is given, is still required.
    ByEndpoint(Option<Scope>),
}

/// The rules can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file is not what it should be.
    #[error("policies/data/scopes.json can't be used: {0}")]
    Unreadable(String),
    /// Some routes have no rule; they would be open or dead.
    #[error("policies/data/scopes.json has no rule for: {0}")]
    Missing(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    routes: BTreeMap<String, Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rule {
    access: Kind,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Public,
    Bearer,
    Endpoint,
    Operator,
}

/// The rule of every route.
#[derive(Clone, Debug)]
pub struct AccessRules(BTreeMap<String, Access>);

impl AccessRules {
    /// The rules that are compiled into the node.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::parse(BUILT_IN)
    }

    /// Reads rules.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File = serde_json::from_str(text).map_err(|error| PolicyError::Unreadable(error.to_string()))?;
        let rules = file.routes.into_iter().map(|(route, rule)| Ok((route, access(rule)?)));
        rules.collect::<Result<_, _>>().map(Self)
    }

    /// What a route (`GET /api/v1/agents`) needs; `None` if nothing is said of it, which callers must take as a refusal.
    pub fn of(&self, method: &str, template: &str) -> Option<Access> {
        self.0.get(&format!("{method} {template}")).copied()
    }

    /// The names of all rules.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Fails with the names of the routes that have no rule.
    pub fn check_complete<'a>(&self, routes: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), PolicyError> {
        let missing: Vec<String> = routes
            .filter(|(method, template)| self.of(method, template).is_none())
            .map(|(method, template)| format!("{method} {template}"))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(PolicyError::Missing(missing.join(", ")))
        }
    }
}

fn access(rule: Rule) -> Result<Access, PolicyError> {
    let scope = rule
        .scope
        .as_deref()
        .map(str::parse::<Scope>)
        .transpose()
        .map_err(|error| PolicyError::Unreadable(error.to_string()))?;
    match (rule.access, scope) {
        (Kind::Public, None) => Ok(Access::Public),
        (Kind::Public, Some(_)) => Err(PolicyError::Unreadable("a public route can't need a scope".to_owned())),
        (Kind::Bearer, None) => Ok(Access::AnyBearer),
        (Kind::Bearer, Some(scope)) => Ok(Access::Scope(scope)),
        (Kind::Endpoint, scope) => Ok(Access::ByEndpoint(scope)),
        (Kind::Operator, None) => Ok(Access::Operator),
        (Kind::Operator, Some(_)) => Err(PolicyError::Unreadable(
            "operators have no scopes: their token allows everything on their listener".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_kinds_and_members_are_refused() {
        for text in [
            r#"{"routes": {"GET /a": {"access": "bearer", "scope": "no:such"}}}"#,
            r#"{"routes": {"GET /a": {"access": "everyone"}}}"#,
            r#"{"routes": {"GET /a": {"access": "public", "scope": "openid"}}}"#,
            r#"{"routes": {"GET /a": {"access": "operator", "scope": "openid"}}}"#,
            r#"{"routes": {"GET /a": {"access": "public", "scop": "openid"}}}"#,
        ] {
            assert!(AccessRules::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_route_without_a_rule_is_named() {
        let rules = AccessRules::parse(r#"{"routes": {"GET /a": {"access": "public"}}}"#).expect("valid");
        let error = rules
            .check_complete([("GET", "/a"), ("PUT", "/a")].into_iter())
            .expect_err("PUT has no rule");
        assert!(error.to_string().ends_with("PUT /a"));
    }
}
