//! `agentidp serve`: serves an installation until it is told to stop.

use clap::Args;

use super::output::CommandError;
use super::server_options::{ConfigFile, Overrides, load};
use super::signals::StopSignals;
use crate::app::{Foundation, Machine, MasterKeyPolicy, Running};
use crate::config::Environment;
use crate::telemetry::init_logging;

/// Options of `serve`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    overrides: Overrides,
}

/// Opens, serves, stops.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let (config, _) = load(options.file.config.as_ref(), environment, &options.overrides)?;
    init_logging(&config.telemetry);
    let mut signals = StopSignals::listen()?;
    let foundation = Foundation::open(config, Machine::real(), MasterKeyPolicy::Require).await?;
    let running = Running::start(foundation).await?;
    until_stopped(running, &mut signals).await
}

/// Waits for a signal and stops; a second signal ends the process without waiting for the drain.
pub async fn until_stopped(running: Running, signals: &mut StopSignals) -> Result<(), CommandError> {
    signals.next().await;
    tracing::info!("stopping; a second signal ends the process at once");
    tokio::select! {
        stopped = running.stop() => Ok(stopped?),
        () = signals.next() => {
            tracing::warn!("ended before requests in flight were finished");
            std::process::exit(1)
        }
    }
}
