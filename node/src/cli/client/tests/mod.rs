//! The commands as a shell would start them, and what they print after talking to a real socket.

mod arguments;
mod commands;
mod server;

use clap::Parser;

use super::ClientCommand;

/// The client commands alone, as the binary's own parser holds them.
#[derive(Parser)]
#[command(name = "agentidp")]
struct Cli {
    #[command(subcommand)]
    command: ClientCommand,
}

const AGENT: &str = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d";
const CREDENTIAL: &str = "01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c70";

fn parse(arguments: &str) -> Result<ClientCommand, clap::Error> {
    let words = std::iter::once("agentidp").chain(arguments.split(' ').filter(|word| !word.is_empty()));
    Cli::try_parse_from(words).map(|cli| cli.command)
}
