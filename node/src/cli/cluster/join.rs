//! `agentidp cluster join`: adds the node of a configuration to a cluster.

use std::path::PathBuf;

use clap::Args;
use cluster::{Formats, OsFiles};
use sdk::{Joining, Secret};

use super::access::{self, OperatorTls};
use crate::app::StartError;
use crate::cli::output::{self, CommandError};
use crate::cli::server_options::{ConfigFile, Overrides, load};
use crate::config::{ClusterSection, Environment, MemberRole};

/// Options of `cluster join`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    file: ConfigFile,
    /// The operator listener of any member of the cluster.
    #[arg(long, value_name = "URL")]
    seed: String,
    /// The file that holds the invitation, which `agentidp cluster invite` has printed.
    #[arg(long, value_name = "FILE")]
    invite_file: PathBuf,
    #[command(flatten)]
    tls: OperatorTls,
}

/// Asks the seed.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let (config, _) = load(options.file.config.as_ref(), environment, &Overrides::default())?;
    let joining = joining(&config.cluster)?;
    // An invitation serves one node once: it is not to be used up in vain.
    cluster::require_newcomer(&OsFiles, &config.cluster.data_dir).map_err(StartError::from)?;
    let invite = Secret::new(access::read(&options.invite_file)?.trim());
    let client = options.tls.client(&options.seed)?;
    client.join_cluster(&invite, &joining).await?;
    let file = options.file.config;
    let with_file = file.map_or_else(String::new, |path| format!(" --config {}", path.display()));
    let text = format!(
        "Node {} is a member. Start it with: agentidp serve{with_file}",
        joining.node_id
    );
    Ok(output::line(&text)?)
}

/// What the others must know of the node.
pub fn joining(cluster: &ClusterSection) -> Result<Joining, CommandError> {
    if cluster.listen.is_none() {
        return Err(CommandError::NoClusterListener);
    }
    Ok(Joining {
        node_id: cluster.node_id,
        address: cluster.advertised(),
        region: cluster.region.clone(),
        voter: cluster.role == MemberRole::Voter,
        known_format: Some(Formats::default().known()),
    })
}
