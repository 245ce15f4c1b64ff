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

impl Environment {
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
