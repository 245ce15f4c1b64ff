//! The command line. `dev`, `init`, `serve`, `migrate` and `config` work on a node here; the rest are clients of one.

pub mod client;
mod cluster;
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

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Environment;

/// An identity provider for AI agents.
///
/// Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 not authenticated or refused · 4 not found ·
/// 5 conflict · 6 checked and found broken or dead · 69 the server is unavailable.
#[derive(Parser)]
#[command(name = "agentidp", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one is parsed for each process")]
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
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&error),
    };
    runtime.block_on(run(cli.command, &environment))
}

async fn run(command: Command, environment: &Environment) -> ExitCode {
    match command {
        Command::Dev(options) => output::finish(dev::run(options, environment).await),
        Command::Init(options) => output::finish(init::run(options, environment).await),
        Command::Serve(options) => output::finish(serve::run(options, environment).await),
        Command::Migrate(options) => output::finish(migrate::run(options, environment).await),
        Command::Config(command) => output::finish(config_check::run(command, environment)),
        Command::Cluster(command) => output::finish(cluster::run(command, environment).await),
        Command::Client(command) => client::run(command, environment).await,
        Command::Completion(options) => output::finish(completion::run(options)),
        Command::Version(options) => output::finish(version::run(options)),
    }
}
