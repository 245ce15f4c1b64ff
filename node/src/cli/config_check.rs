//! `agentidp config check`: prints the configuration that would be in force, or everything that is wrong with it.

use clap::Subcommand;
use comfy_table::{Table, presets};

use super::output::{self, CommandError};
use super::server_options::{ConfigFile, Overrides, load};
use crate::config::{Effective, Environment};

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
    let (_, effective) = load(file.config.as_ref(), environment, &overrides)?;
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
        table.add_row([&setting.key, &setting.value, &setting.origin]);
    }
    table.to_string()
}
