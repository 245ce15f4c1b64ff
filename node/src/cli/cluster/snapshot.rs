//! `agentidp cluster snapshot`: has a node write a snapshot of the replicated state, and saves it where it is told to.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use cluster::Remains;
use sdk::Cluster;
use serde_json::json;

use super::access::OperatorAccess;
use crate::app::StartError;
use crate::cli::output::{self, CommandError};
use crate::config::Environment;

/// How often saving begins again because a later snapshot has taken the place of the one that was being read.
const ATTEMPTS: u32 = 5;
/// What the node refuses such a piece with.
const REFUSED: &str = "CLUSTER_REFUSED";

/// Options of `cluster snapshot`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    access: OperatorAccess,
    /// Save it in this file, for `agentidp cluster restore`. It holds everything that was acknowledged before; its secrets
    /// are sealed with the master key, of which you must have a copy elsewhere.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Asks, and saves if it is to be saved.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let operator = options.access.open(environment)?;
    let Some(path) = options.to else {
        operator.cluster().snapshot().await?;
        return Ok(output::line(if options.json {
            "{}"
        } else {
            "The node was asked to write a snapshot."
        })?);
    };
    let bytes = save(&operator.cluster(), &path).await?;
    // What can't be restored from is no backup.
    let saved = Remains::of_file(&path).map_err(StartError::from)?;
    let text = if options.json {
        json!({
            "file": path,
            "bytes": bytes,
            "clusterId": saved.cluster_id(),
            "revision": saved.revision().0,
            "revocations": saved.revocations(),
        })
        .to_string()
    } else {
        format!(
            "{} holds cluster {} up to revision {}, with {} revocations. It is of use only together with the master key.",
            path.display(),
            saved.cluster_id(),
            saved.revision().0,
            saved.revocations()
        )
    };
    Ok(output::line(&text)?)
}

/// Writes beside the file, so that there is the former one or the whole new one.
async fn save(cluster: &Cluster<'_>, path: &Path) -> Result<u64, CommandError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    let written = write(cluster, &partial).await;
    let kept = written.and_then(|length| {
        std::fs::rename(&partial, path)?;
        Ok(length)
    });
    if kept.is_err() {
        // There may be none.
        let _ = std::fs::remove_file(&partial);
    }
    kept
}

async fn write(cluster: &Cluster<'_>, partial: &Path) -> Result<u64, CommandError> {
    let mut attempt = 1;
    loop {
        match write_once(cluster, partial).await {
            Err(CommandError::Operator(error)) if error.code() == Some(REFUSED) && attempt < ATTEMPTS => attempt += 1,
            written => return written,
        }
    }
}

async fn write_once(cluster: &Cluster<'_>, partial: &Path) -> Result<u64, CommandError> {
    let mut file = create(partial)?;
    let mut piece = cluster.first_snapshot_piece().await?;
    let mut length = 0;
    loop {
        file.write_all(&piece.bytes)?;
        length += piece.bytes.len() as u64;
        if piece.last {
            file.sync_all()?;
            return Ok(length);
        }
        piece = cluster.snapshot_piece(piece.index, length).await?;
    }
}

/// Whoever reads it learns who was revoked, though no secret.
fn create(path: &Path) -> Result<File, CommandError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).map_err(|source| CommandError::Unwritable {
        path: path.to_owned(),
        source,
    })
}
