//! `agentidp cluster certs`: an authority for a cluster and a certificate for each node, for those who have none.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use cluster::{CertificateAuthority, Validity};
use domain::Timestamp;

use crate::app::Machine;
use crate::cli::output::{self, CommandError};

const DAY: Duration = Duration::from_secs(86_400);

/// Options of `cluster certs`.
#[derive(Args)]
pub struct Options {
    /// Where the files are, or are to be: ca.pem and ca.key, and for each node node-<id>.pem and node-<id>.key. An
    /// authority that is there is used again.
    #[arg(long, value_name = "DIRECTORY", default_value = "agentidp-certs")]
    out: PathBuf,
    /// The numbers of the nodes.
    #[arg(long, value_name = "NODE_ID", value_delimiter = ',', required = true)]
    nodes: Vec<u64>,
    /// The cluster's name, as cluster.name has it.
    #[arg(long, value_name = "NAME", default_value = "agentidp")]
    name: String,
    /// For how many days the nodes' certificates are valid; the authority's is for ten times as long.
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u32,
}

/// Makes what is missing and replaces the nodes' certificates.
pub fn run(options: &Options) -> Result<(), CommandError> {
    make(&options.out, &options.name, &options.nodes, options.days)?;
    let text = format!(
        "{0}/ca.pem, and node-<id>.pem with node-<id>.key for {1} nodes.\nGive each node ca.pem and its own two files; keep {0}/ca.key where no node is: whoever has it can be any node.",
        options.out.display(),
        options.nodes.len()
    );
    Ok(output::line(&text)?)
}

/// Writes an authority, unless there is one, and a certificate for each node.
pub fn make(folder: &Path, cluster: &str, nodes: &[u64], days: u32) -> Result<(), CommandError> {
    let now = Machine::real().clock.now();
    std::fs::create_dir_all(folder)?;
    let authority = authority(folder, cluster, Validity::starting(now, DAY * days * 10))?;
    for node_id in nodes {
        let issued = authority
            .issue(*node_id, &[], valid_for(now, days))
            .map_err(cluster_error)?;
        write(
            &folder.join(format!("node-{node_id}.pem")),
            &issued.certificate_pem,
            0o644,
        )?;
        write(
            &folder.join(format!("node-{node_id}.key")),
            issued.key_pem.expose(),
            0o600,
        )?;
    }
    Ok(())
}

fn valid_for(now: Timestamp, days: u32) -> Validity {
    Validity::starting(now, DAY * days)
}

fn authority(folder: &Path, cluster: &str, validity: Validity) -> Result<CertificateAuthority, CommandError> {
    let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
    if key.exists() {
        let (certificate, key) = (std::fs::read_to_string(certificate)?, std::fs::read_to_string(key)?);
        return CertificateAuthority::load(cluster, &certificate, &key).map_err(cluster_error);
    }
    let authority = CertificateAuthority::new(cluster, validity).map_err(cluster_error)?;
    write(&certificate, authority.certificate_pem(), 0o644)?;
    write(&key, authority.key_pem().expose(), 0o600)?;
    Ok(authority)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), CommandError> {
    // A file that is there may have another mode; a key must never be readable by others, not even for a moment.
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

fn cluster_error(error: cluster::ClusterError) -> CommandError {
    CommandError::Start(error.into())
}
