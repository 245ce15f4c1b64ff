//! One layer of configuration: a file, the environment or the command line's flags, as texts under dotted keys.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::ConfigError;

/// A layer: where it comes from and what it says.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// What people call it: a file's path, "environment", "flags".
    pub name: String,
    /// The values under dotted keys such as `server.listen`. Arrays are joined by commas.
    pub values: BTreeMap<String, String>,
}

impl Source {
    /// A layer with the given values.
    pub fn new(name: &str, values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            name: name.to_owned(),
            values: values.into_iter().collect(),
        }
    }

    /// The layer that a TOML file holds.
    pub fn file(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::one(&name, format!("can't be read: {error}; give another with --config")))?;
        Self::toml(&name, &text)
    }

    /// The layer that a TOML text holds.
    pub fn toml(name: &str, text: &str) -> Result<Self, ConfigError> {
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigError::one(name, error.to_string()))?;
        let mut source = Self::new(name, []);
        for (key, value) in table {
            source.flatten(key, value)?;
        }
        Ok(source)
    }

    fn flatten(&mut self, key: String, value: toml::Value) -> Result<(), ConfigError> {
        match value {
            toml::Value::Table(table) => {
                for (inner, value) in table {
                    self.flatten(format!("{key}.{inner}"), value)?;
                }
            }
            toml::Value::Array(items) => {
                let texts: Result<Vec<String>, ConfigError> =
                    items.into_iter().map(|item| scalar(&key, item)).collect();
                self.values.insert(key, texts?.join(","));
            }
            scalar_value => {
                let text = scalar(&key, scalar_value)?;
                self.values.insert(key, text);
            }
        }
        Ok(())
    }
}

fn scalar(key: &str, value: toml::Value) -> Result<String, ConfigError> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        other => Err(ConfigError::one(key, format!("can't be a {}", other.type_str()))),
    }
}
