//! The command line. `dev`, `init`, `serve`, `migrate` and `config` work on a node here; the rest are clients of one.

pub mod client;
mod cluster;
mod complaint;
mod completion;
mod config_check;
mod dev;
mod dev_cluster;
mod init;
mod migrate;
mod output;
mod reload;
mod serve;
mod server_options;
mod signals;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::complaint::Complaint;
use crate::config::Environment;

/// An identity provider for AI agents.
#[derive(Parser)]
#[command(name = "agentidp", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a working node with nothing else installed: for trying out and for development.
    Dev(dev::Options),
    /// Make an installation: keys, the system organization and its administrator.
    Init(init::Options),
    /// Serve an installation.
    Serve(serve::Options),
    /// Bring the store to the form that this version needs.
    Migrate(migrate::Options),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config_check::ConfigCommand),
    /// Look at the members of a cluster and change them.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    #[command(flatten)]
    Client(client::ClientCommand),
    /// Print a completion script for a shell.
    Completion(completion::Options),
    /// Print the version.
    Version(version::Options),
}

/// Parses the arguments, runs the command, and says how it ended.
pub fn main(environment: Environment) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Asked of the arguments themselves, since errors in them are told as JSON too.
    let is_json = arguments.iter().any(|argument| argument == "--json");
    let cli = match parse(arguments) {
        Ok(cli) => cli,
        Err(error) if is_json && error.use_stderr() => {
            Complaint::of_usage(&error).tell(is_json);
            return ExitCode::from(output::USAGE);
        }
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            Complaint::new("START_FAILED", error).tell(is_json);
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(run(cli.command, &environment, is_json))
}

fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let matches = with_exit_codes(Cli::command()).try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Tells the exit codes at the end of the help of a command and of all below it.
fn with_exit_codes(command: clap::Command) -> clap::Command {
    let lines = client::EXIT_CODES.iter();
    let lines: String = lines
        .map(|(code, meaning)| format!("\n  {code:<2}  {meaning}"))
        .collect();
    command
        .after_help(format!("Exit codes:{lines}"))
        .mut_subcommands(with_exit_codes)
}

async fn run(command: Command, environment: &Environment, is_json: bool) -> ExitCode {
    let result = match command {
        Command::Client(command) => return client::run(command, environment, is_json).await,
        Command::Dev(options) => Box::pin(dev::run(options, environment)).await,
        Command::Init(options) => Box::pin(init::run(options, environment)).await,
        Command::Serve(options) => Box::pin(serve::run(options, environment)).await,
        Command::Migrate(options) => migrate::run(options, environment).await,
        Command::Config(command) => config_check::run(command, environment),
        Command::Cluster(command) => cluster::run(command, environment).await,
        Command::Completion(options) => completion::run(options),
        Command::Version(options) => version::run(options),
    };
    output::finish(result, is_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(command: &mut clap::Command) -> Vec<String> {
        let help = command.render_long_help().to_string() + &command.render_help().to_string();
        let lacks = help.matches("\n  69  the server is unavailable").count() != 2;
        // clap makes the command `help` by itself.
        let own = (lacks && command.get_name() != "help").then(|| command.get_name().to_owned());
        own.into_iter()
            .chain(command.get_subcommands_mut().flat_map(missing))
            .collect()
    }

    #[test]
    fn every_command_s_help_tells_the_exit_codes() {
        let mut command = with_exit_codes(Cli::command().term_width(0).max_term_width(0));
        assert_eq!(missing(&mut command), Vec::<String>::new());
    }
}
