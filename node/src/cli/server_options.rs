//! Options of the commands that work on a node here, and the layers of configuration that they make.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, ConfigError, Effective, Environment, Source};

/// Where the configuration is.
#[derive(Args, Clone, Debug)]
pub struct ConfigFile {
    /// The configuration file; without it, the environment and the defaults are in force.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Settings that are often given by hand.
#[derive(Args, Clone, Debug, Default)]
pub struct Overrides {
    /// Where to serve agents; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Where to serve operators and metrics; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub operator_listen: Option<String>,
    /// Where the node keeps its log, its keys and, by default, its store.
    #[arg(long, value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,
}

impl Overrides {
    fn layer(&self) -> Source {
        let data_dir = self.data_dir.as_ref().map(|path| path.display().to_string());
        let values = [
            ("server.listen", self.listen.clone()),
            ("server.operator_listen", self.operator_listen.clone()),
            ("cluster.data_dir", data_dir),
        ];
        Source::new(
            "flags",
            values
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?))),
        )
    }
}

/// The configuration that the file, the environment and the flags make, and what is in force of every key.
pub fn load(
    file: Option<&PathBuf>,
    environment: &Environment,
    overrides: &Overrides,
) -> Result<(Config, Vec<Effective>), ConfigError> {
    Config::load(layers(file, environment, overrides)?)
}

/// The file, the environment, the flags: the later win.
pub fn layers(
    file: Option<&PathBuf>,
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Vec<Source>, ConfigError> {
    let mut layers = Vec::new();
    if let Some(path) = file {
        layers.push(Source::file(path)?);
    }
    layers.push(environment.settings());
    layers.push(overrides.layer());
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_given_as_a_flag_wins_over_the_environment() {
        let environment = Environment::of(&[("PORT", "3105"), ("AGENTIDP_SERVER__OPERATOR_LISTEN", "127.0.0.1:3905")]);
        let addresses = |overrides: &Overrides| {
            let (config, _) = load(None, &environment, overrides).expect("valid");
            (config.server.listen.port(), config.server.operator_listen.port())
        };
        assert_eq!(addresses(&Overrides::default()), (3105, 3905));
        let flags = Overrides {
            listen: Some("127.0.0.1:3100".to_owned()),
            operator_listen: Some("127.0.0.1:3900".to_owned()),
            data_dir: None,
        };
        assert_eq!(addresses(&flags), (3100, 3900));
    }
}
