//! `agentidp completion`: a script that teaches a shell our commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::output::CommandError;

/// Options of `completion`.
#[derive(Args)]
pub struct Options {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(options: Options) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "agentidp", &mut script);
    std::io::Write::write_all(&mut std::io::stdout().lock(), &script)?;
    Ok(())
}
