//! `agentidp version`.

use clap::Args;

use super::output::{self, CommandError};
use crate::build_info::{COMMIT, VERSION};

/// Options of `version`.
#[derive(Args)]
pub struct Options {
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Prints the version and the commit.
pub fn run(options: Options) -> Result<(), CommandError> {
    let text = if options.json {
        serde_json::json!({ "version": VERSION, "commit": COMMIT }).to_string()
    } else {
        format!("agentidp {VERSION} ({COMMIT})")
    };
    Ok(output::line(&text)?)
}
