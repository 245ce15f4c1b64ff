//! The commands that are clients of a node: `token`, `agents`, `credentials` and `audit`, over the sdk.
//!
//! **Architecture invariant:** nothing here knows the node that it is compiled into; these commands would work the same
//! in a binary of their own, against any node.

mod agent_ref;
mod agents;
mod audit;
mod connection;
mod credentials;
mod exit;
pub(in crate::cli) mod failure;
mod output;
mod profile;
mod secret_source;
mod session;
mod streams;
mod token;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::connection::ConnectionOptions;
use self::exit::Exit;
use self::failure::Failure;
use self::output::{Format, Output};
use self::session::Session;
use crate::config::Environment;

pub use self::exit::EXIT_CODES;

/// The commands that are clients of a node.
#[derive(Subcommand)]
pub enum ClientCommand {
    /// Take a token and print it; look at one, or kill one.
    Token(Options<token::TokenCommand>),
    /// List, register, change, suspend and end agents.
    Agents(Options<agents::AgentsCommand>),
    /// List, make, rotate and revoke the client secrets of an agent.
    Credentials(Options<credentials::CredentialsCommand>),
    /// Read the audit log and check that it is whole.
    Audit(Options<audit::AuditCommand>),
}

/// What a command is given: its own arguments, the way to the server, and the form of the output.
#[derive(Args)]
pub struct Options<C: Args> {
    #[command(flatten)]
    command: C,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Print JSON as the server answers it, instead of a page for people.
    #[arg(long, global = true)]
    json: bool,
}

/// One command, once it knows its server and where its output goes.
trait Run {
    /// Does it and prints what came of it.
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure>;
}

/// Runs a command and says how it ended; an error is told on standard error.
pub async fn run(command: ClientCommand, environment: &Environment, is_json: bool) -> ExitCode {
    let result = match command {
        ClientCommand::Token(options) => start(options, environment).await,
        ClientCommand::Agents(options) => start(options, environment).await,
        ClientCommand::Credentials(options) => start(options, environment).await,
        ClientCommand::Audit(options) => start(options, environment).await,
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_closed_output() => Exit::Done.into(),
        Err(failure) => {
            failure.complaint().tell(is_json);
            failure.exit().into()
        }
    }
}

async fn start<C: Args + Run>(options: Options<C>, environment: &Environment) -> Result<Exit, Failure> {
    let (client, server) = options.connection.connect(environment)?;
    let format = if options.json {
        Format::Json
    } else {
        Format::Page {
            width: streams::width(),
        }
    };
    let mut stdout = streams::stdout();
    let mut session = Session {
        ask: streams::somebody_to_ask(),
        ..Session::new(client, Output::new(&mut stdout, format))
    };
    options
        .command
        .run(&mut session)
        .await
        .map_err(|failure| failure.at(&server))
}
