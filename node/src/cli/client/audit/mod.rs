//! `agentidp audit`: reads the audit log and checks that it is whole.

mod event_line;
mod follow;
mod get;
mod tail;
mod verify;

use clap::{Args, Subcommand};

use super::Run;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

/// What is to be done with the audit log.
#[derive(Args)]
pub struct AuditCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print the latest events, the newest last; with --follow, go on as they come.
    Tail(tail::Tail),
    /// Print one event.
    Get(get::Get),
    /// Have the server walk the hash chain; exit code 6 if it is broken.
    Verify(verify::Verify),
}

impl Run for AuditCommand {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::Tail(tail) => tail.run(session).await,
            Action::Get(get) => get.run(session).await,
            Action::Verify(verify) => verify.run(session).await,
        }
    }
}
