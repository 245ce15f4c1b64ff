//! `agentidp config check`: prints the configuration that would be in force, or everything that is wrong with it.

use clap::Subcommand;
use comfy_table::{Table, presets};

use super::output::{self, CommandError};
use super::server_options::{ConfigFile, Overrides, layers};
use crate::app::preflight;
use crate::config::{Config, ConfigError, Effective, Environment};

/// What stands for a value that is absent and has no default.
const NONE: &str = "(none)";

/// What can be done with a configuration.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print the configuration that is in force, secrets masked; exit code 2 if it is wrong.
    Check {
        #[command(flatten)]
        file: ConfigFile,
        #[command(flatten)]
        overrides: Overrides,
        /// Print a JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// Checks and prints.
pub fn run(command: ConfigCommand, environment: &Environment) -> Result<(), CommandError> {
    let ConfigCommand::Check { file, overrides, json } = command;
    let layers = layers(file.config.as_ref(), environment, &overrides)?;
    let (config, effective, mut mistakes) = Config::inspect(layers);
    mistakes.extend(preflight(&config));
    if !mistakes.is_empty() {
        return Err(ConfigError { mistakes }.into());
    }
    Ok(output::line(&if json {
        as_json(&effective)
    } else {
        as_table(&effective)
    })?)
}

fn as_json(effective: &[Effective]) -> String {
    let members = effective
        .iter()
        .map(|setting| (setting.key.clone(), serde_json::Value::from(setting.value.as_str())));
    serde_json::Value::Object(members.collect()).to_string()
}

fn as_table(effective: &[Effective]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["KEY", "VALUE", "FROM"]);
    for setting in effective {
        let value = if setting.value.is_empty() { NONE } else { &setting.value };
        table.add_row([&setting.key, value, &setting.origin]);
    }
    table.to_string()
}
