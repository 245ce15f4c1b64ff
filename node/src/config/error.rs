//! What is wrong with a configuration.

use std::fmt;

/// One mistake: where and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key, dotted, with the layer that it came from.
    pub place: String,
    /// What is wrong and what to do.
    pub reason: String,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub mistakes: Vec<Mistake>,
}

impl ConfigError {
    /// A single mistake.
    pub fn one(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            mistakes: vec![Mistake {
                place: place.into(),
                reason: reason.into(),
            }],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration can't be used:")?;
        for mistake in &self.mistakes {
            write!(f, "\n  {}: {}", mistake.place, mistake.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
