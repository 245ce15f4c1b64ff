//! The environment as a layer of configuration. It is read once, by whoever starts the process, and handed on.

use std::collections::BTreeMap;

use super::source::Source;

/// A copy of the process's environment.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Names that other software has taught people, and what they mean here.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("DATABASE_URL", "store.url"),
    ("REDIS_URL", "redis.url"),
    ("CORS_ORIGIN", "server.cors_origins"),
    ("PORT", "server.port"),
];

/// What the nodes of a development cluster take from the environment of the process that starts them. What tells nodes
/// apart is left out: where they listen, what they are called, where their files are.
const FOR_NODES: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "DATABASE_URL",
    "REDIS_URL",
    "RUST_BACKTRACE",
    "AGENTIDP_STORE__",
    "AGENTIDP_REDIS__",
    "AGENTIDP_KEYS__",
    "AGENTIDP_CLUSTER__MAX_REVOCATION_STALENESS",
    "AGENTIDP_CLUSTER__HEARTBEAT",
    "AGENTIDP_CLUSTER__ELECTION_TIMEOUT",
    "AGENTIDP_LIMITS__",
    "AGENTIDP_AUDIT__",
    "AGENTIDP_TELEMETRY__",
];

impl Environment {
    /// What the nodes of a development cluster are to have of it.
    #[must_use]
    pub fn of_nodes(&self) -> Self {
        let is_for_nodes = |name: &str| {
            let mut names = FOR_NODES.iter();
            names.any(|known| name == *known || (known.ends_with("__") && name.starts_with(known)))
        };
        let chosen = self.0.iter().filter(|(name, _)| is_for_nodes(name));
        Self(chosen.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// All variables, for a process that is to have them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The environment of this process. Names and values that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let pairs =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(pairs.collect())
    }

    /// An environment that holds just this.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// The value of one variable, if it is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The name of the variable that gives a key.
    pub fn variable_of(&self, key: &str) -> Option<String> {
        let ours = format!("AGENTIDP_{}", key.to_ascii_uppercase().replace('.', "__"));
        let known = WELL_KNOWN.iter().filter(|(_, meant)| *meant == key);
        let mut names = std::iter::once(ours).chain(known.map(|(name, _)| (*name).to_owned()));
        names.find(|name| self.get(name).is_some())
    }

    /// The settings: `AGENTIDP_<SECTION>__<KEY>` and the well-known names, which yield to the former.
    pub fn settings(&self) -> Source {
        let known = WELL_KNOWN
            .iter()
            .filter_map(|(name, key)| Some(((*key).to_owned(), self.get(name)?.to_owned())));
        let ours = self.0.iter().filter_map(|(name, value)| {
            let path = name.strip_prefix("AGENTIDP_").filter(|path| path.contains("__"))?;
            Some((path.to_ascii_lowercase().replace("__", "."), value.clone()))
        });
        Source::new("environment", known.chain(ours))
    }
}
