//! A run in a file, with everything that its seed decided: it stays the same run when later versions of this program
//! draw something else from the seed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// A run in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// What it has found, and what it is kept for.
    pub about: String,
    /// Decides what the plan leaves open: which client calls what and when, which frame is late, what keys look like.
    pub seed: u64,
    /// The rest.
    pub plan: Plan,
}

/// Why a scenario can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file can't be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// It is not a scenario.
    #[error("{} is not a scenario: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: serde_json::Error,
    },
}

impl Scenario {
    /// Reads one.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let path = path.to_owned();
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|reason| ScenarioError::Content { path, reason }),
            Err(reason) => Err(ScenarioError::File { path, reason }),
        }
    }

    /// Writes it.
    pub fn write(&self, path: &Path) -> Result<(), ScenarioError> {
        let path = path.to_owned();
        let text = match serde_json::to_string_pretty(self) {
            Ok(text) => text + "\n",
            Err(reason) => return Err(ScenarioError::Content { path, reason }),
        };
        std::fs::write(&path, text).map_err(|reason| ScenarioError::File { path, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Wishes;
    use crate::random::Random;

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        for seed in 0..20 {
            let scenario = Scenario {
                about: format!("seed {seed}"),
                seed,
                plan: Plan::of(&Random::seeded(seed), &Wishes::default()),
            };
            let path = folder.path().join("scenario.json");
            scenario.write(&path).unwrap();
            assert_eq!(Scenario::read(&path).unwrap(), scenario);
        }
    }

    #[test]
    fn what_is_not_a_scenario_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scenario.json");
        let missing = Scenario::read(&path).unwrap_err().to_string();
        assert!(missing.contains("scenario.json"), "{missing}");
        for (text, part) in [
            ("", "line 1"),
            (r#"{"about":"","seed":1,"plan":{},"more":2}"#, "missing field"),
            (r#"{"about":"","seed":-1,"plan":{}}"#, "-1"),
        ] {
            std::fs::write(&path, text).unwrap();
            let refusal = Scenario::read(&path).unwrap_err().to_string();
            assert!(
                refusal.contains("is not a scenario") && refusal.contains(part),
                "{refusal}"
            );
        }
    }
}
