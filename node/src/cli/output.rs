//! What commands print: results on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use crate::app::StartError;
use crate::config::ConfigError;

/// Something went wrong on the command line's side.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node does not start, or did not stop well.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The output can't be written.
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

/// Exit code for wrong usage and wrong configuration; clap uses the same.
const USAGE: u8 = 2;

/// The exit code of a command, with its error told.
pub fn finish(result: Result<(), CommandError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough: `agentidp … | head`.
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error @ (CommandError::Config(_) | CommandError::Start(StartError::Config(_)))) => {
            fail(&error);
            ExitCode::from(USAGE)
        }
        Err(error) => fail(&error),
    }
}

/// Tells an error; exit code 1.
pub fn fail(error: &dyn Display) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "agentidp: {error}");
    ExitCode::FAILURE
}

/// Prints a text and a line break, at once.
pub fn line(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}
