//! `agentidp token`: takes a token and prints it; looks at one, or kills one.

mod introspect;
mod issue;
mod revoke;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Run;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

/// Without a subcommand, a token is taken.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TokenCommand {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    issue: issue::Issue,
}

#[derive(Subcommand)]
enum Action {
    /// Tell what the server knows of a token; needs the scope tokens:read. Exit code 6 if it is not active.
    Introspect(TokenInput),
    /// Kill a token, everywhere, at once. Exit code 4 if there was no live token to kill, as far as the caller may know.
    Revoke(TokenInput),
}

/// Where a token comes from: never the arguments.
#[derive(Args)]
pub struct TokenInput {
    /// A file that holds the token [default: standard input].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Run for TokenCommand {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            None => self.issue.run(session).await,
            Some(Action::Introspect(input)) => introspect::run(input, session).await,
            Some(Action::Revoke(input)) => revoke::run(input, session).await,
        }
    }
}
