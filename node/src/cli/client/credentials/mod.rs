//! `agentidp credentials`: the client secrets of an agent.

mod generate;
mod issued;
mod list;
mod revoke;
mod rotate;

use clap::{Args, Subcommand};
use sdk::CredentialId;

use super::Run;
use super::agent_ref::AgentRef;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

/// What is to be done with credentials.
#[derive(Args)]
pub struct CredentialsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the credentials of an agent, without secrets.
    List(list::List),
    /// Make a client secret and show it, this once.
    Generate(generate::Generate),
    /// Replace a client secret and show the new one, this once.
    Rotate(rotate::Rotate),
    /// End a credential and kill the tokens that were taken with it.
    Revoke(Target),
}

/// Which agent's.
#[derive(Args)]
pub struct Owner {
    /// The agent's id, or `self`.
    #[arg(value_name = "AGENT")]
    agent: AgentRef,
}

/// Which credential.
#[derive(Args)]
pub struct Target {
    #[command(flatten)]
    owner: Owner,
    /// The credential's id, as `credentials list` prints it.
    #[arg(value_name = "CREDENTIAL")]
    credential: CredentialId,
}

impl Run for CredentialsCommand {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::List(list) => list.run(session).await,
            Action::Generate(generate) => generate.run(session).await,
            Action::Rotate(rotate) => rotate.run(session).await,
            Action::Revoke(target) => revoke::run(&target, session).await,
        }
    }
}
