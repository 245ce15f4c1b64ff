//! `agentidp version`.

use clap::Args;

use super::output::{self, CommandError};

/// Options of `version`.
#[derive(Args)]
pub struct Options {
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Prints the version.
pub fn run(options: Options) -> Result<(), CommandError> {
    let version = env!("CARGO_PKG_VERSION");
    let text = if options.json {
        serde_json::json!({ "version": version }).to_string()
    } else {
        format!("agentidp {version}")
    };
    Ok(output::line(&text)?)
}
