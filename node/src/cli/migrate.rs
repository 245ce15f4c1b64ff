//! `agentidp migrate`: brings the store to the form that this version needs, and nothing else.

use clap::Args;

use super::output::{self, CommandError};
use super::server_options::{ConfigFile, Overrides, load};
use crate::app::{StartError, open_stores, prepare_data_directory};
use crate::config::{Environment, StoreLocation};
use crate::telemetry::init_logging;

/// Options of `migrate`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    overrides: Overrides,
}

/// Applies the migrations that have not been applied.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let (config, _) = load(options.file.config.as_ref(), environment, &options.overrides)?;
    init_logging(&config.telemetry);
    if matches!(config.store.location, StoreLocation::Embedded(None)) {
        prepare_data_directory(&config.cluster.data_dir)?;
    }
    let stores = open_stores(&config).await?;
    let migrated = stores.migrate().await.map_err(StartError::from);
    stores.close().await;
    migrated?;
    Ok(output::line("The store has the form that this version needs.")?)
}
