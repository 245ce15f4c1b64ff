//! `agentidp serve`: serves an installation until it is told to stop.

use clap::Args;
use cluster::Founding;

use super::output::CommandError;
use super::reload::Reload;
use super::server_options::{ConfigFile, Overrides};
use super::signals::{Asked, Hangup, Signals};
use crate::app::{Foundation, ListenerTls, Listeners, Machine, MasterKeyPolicy, Running, StartError};
use crate::config::Environment;

/// Options of `serve`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    overrides: Overrides,
    /// Stop when standard input ends, which it does when the process that started this one is gone.
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

/// Opens, serves, stops.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let (config, reload) = Reload::first(options.file.config, environment, options.overrides)?;
    let mut signals = Signals::listen(Hangup::Reloads)?;
    let tls = ListenerTls::open(&config).map_err(StartError::from)?;
    if options.until_input_ends {
        signals.also_when_input_ends();
    }
    // A node that waits for others can be told to stop.
    let opening = Foundation::open(
        config.clone(),
        Machine::real(),
        MasterKeyPolicy::Require,
        Founding::Join,
    );
    let foundation = tokio::select! {
        opened = opening => opened?,
        () = signals.stop() => return Ok(()),
    };
    let listeners = Listeners::bind(&config.server).await?;
    let running = Running::start(foundation, listeners, tls).await?;
    Box::pin(until_stopped(running, &mut signals, &reload)).await
}

/// Waits for a signal and stops; a second signal ends the process without waiting for the drain. A node that can't go on
/// stops too, with an error, so that whoever watches over the process starts it again.
pub async fn until_stopped(running: Running, signals: &mut Signals, reload: &Reload) -> Result<(), CommandError> {
    loop {
        tokio::select! {
            asked = signals.next() => if asked == Asked::Reload {
                reload.again(&running);
            } else {
                tracing::info!("stopping; a second signal ends the process at once");
                break;
            },
            failure = running.failed() => {
                tracing::error!(%failure, "this node can't go on and stops; when the cause is removed, start it again");
                break;
            }
        }
    }
    tokio::select! {
        stopped = running.stop() => Ok(stopped?),
        () = signals.stop() => {
            tracing::warn!("ended before requests in flight were finished");
            std::process::exit(1)
        }
    }
}
