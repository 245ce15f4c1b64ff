//! `agentidp cluster restore`: founds a cluster again whose majority is lost for good.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use cluster::{IssuedTokens, Remains, Restored};
use serde_json::json;

use crate::app::{Machine, Restoring};
use crate::cli::output::{self, CommandError};
use crate::cli::server_options::{ConfigFile, Overrides, load};
use crate::config::Environment;
use crate::telemetry::init_logging;

/// Options of `cluster restore`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    overrides: Overrides,
    /// A snapshot that `agentidp cluster snapshot --to FILE` has written; without it, what this node has in its data
    /// directory.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// What becomes of the tokens that were issued so far. `revoke` is safe: all are dead, and agents get new ones. `keep`:
    /// they stay valid, and what was revoked after the state that is restored was written is valid again.
    #[arg(long, value_name = "WHAT")]
    issued_tokens: Tokens,
    /// Confirm that the other members are lost, or stopped for good.
    #[arg(long)]
    yes: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What becomes of tokens.
#[derive(Clone, Copy, ValueEnum)]
enum Tokens {
    /// They stay valid.
    Keep,
    /// They are dead.
    Revoke,
}

impl From<Tokens> for IssuedTokens {
    fn from(tokens: Tokens) -> Self {
        match tokens {
            Tokens::Keep => IssuedTokens::Keep,
            Tokens::Revoke => IssuedTokens::Revoke,
        }
    }
}

/// Reads what is left, has it confirmed, and does it.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let (config, _) = load(options.file.config.as_ref(), environment, &options.overrides)?;
    init_logging(&config.telemetry);
    let node_id = config.cluster.node_id;
    let restoring = Restoring::prepare(config, Machine::real(), options.from.as_deref()).await?;
    if !options.yes {
        return Err(CommandError::Unconfirmed(warning(restoring.remains(), node_id)));
    }
    let source = restoring.remains().source().to_owned();
    let restored = restoring.carry_out(options.issued_tokens.into()).await?;
    let with_file = options
        .file
        .config
        .map_or_else(String::new, |path| format!(" --config {}", path.display()));
    let text = if options.json {
        json!({
            "clusterId": restored.cluster_id,
            "nodeId": node_id,
            "source": source,
            "timesRestored": restored.number,
            "foundRevision": restored.found_revision,
            "firstRevision": restored.first_revision,
            "revocations": restored.revocations,
            "issuedTokens": crate::app::describe_tokens(options.issued_tokens.into()),
            "formerFolder": restored.kept,
        })
        .to_string()
    } else {
        page(&restored, node_id, options.issued_tokens, &with_file)
    };
    Ok(output::line(&text)?)
}

fn warning(remains: &Remains, node_id: u64) -> String {
    format!(
        "cluster {} would be founded again with node {node_id} as its only member, from {}, which has {} revocations up to \
         revision {}. Whatever the cluster has acknowledged after that, revocations among it, is not there. Every other \
         member is refused from then on, and has to join anew with an empty data directory; stop those that still run first",
        remains.cluster_id(),
        remains.source().display(),
        remains.revocations(),
        remains.revision().0,
    )
}

fn page(restored: &Restored, node_id: u64, tokens: Tokens, with_file: &str) -> String {
    let issued = match tokens {
        Tokens::Keep => {
            "Tokens that were issued so far stay valid; revocations that were acknowledged after that revision are lost: revoke again \
             what must be dead."
        }
        Tokens::Revoke => "All tokens that were issued so far are dead; agents get new ones.",
    };
    let kept = restored.kept.as_ref().map_or_else(String::new, |path| {
        format!("\nThe former folder of the node is kept in {}.", path.display())
    });
    format!(
        "Cluster {} is founded again with node {node_id} alone, from revision {}, with {} revocations.\n{issued}{kept}\n\
         Start it with: agentidp serve{with_file}\nLet the others join with empty data directories: agentidp cluster invite, and there: \
         agentidp cluster join",
        restored.cluster_id, restored.found_revision.0, restored.revocations
    )
}
