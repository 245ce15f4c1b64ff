//! `agentidp cluster certs`: an authority for a cluster, a certificate for each node and one for operators, for those who
//! have none.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use cluster::{CertificateAuthority, NodeCertificate, Validity};
use domain::Timestamp;

use crate::app::Machine;
use crate::cli::output::{self, CommandError};

const DAY: Duration = Duration::from_secs(86_400);

/// Options of `cluster certs`.
#[derive(Args)]
pub struct Options {
    /// Where the files are, or are to be: ca.pem and ca.key, for each node node-<id>.pem and node-<id>.key, and
    /// operator.pem and operator.key. An authority that is there is used again.
    #[arg(long, value_name = "DIRECTORY", default_value = "agentidp-certs")]
    out: PathBuf,
    /// The numbers of the nodes.
    #[arg(
        long,
        value_name = "NODE_ID",
        value_delimiter = ',',
        required_unless_present = "operator"
    )]
    nodes: Vec<u64>,
    /// A name or an address by which operators call a node, such as 2=node-2.internal; may be repeated. Nodes are called
    /// localhost, 127.0.0.1 and ::1 in any case.
    #[arg(long = "host", value_name = "NODE_ID=NAME", value_parser = host)]
    hosts: Vec<(u64, String)>,
    /// Make a certificate for operators, too: whoever has its key is let in at the operator listeners of all nodes.
    #[arg(long)]
    operator: bool,
    /// The cluster's name, as cluster.name has it.
    #[arg(long, value_name = "NAME", default_value = "agentidp")]
    name: String,
    /// For how many days the certificates are valid; the authority's is for ten times as long.
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u32,
}

/// By what a node is called on its own machine.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

fn host(text: &str) -> Result<(u64, String), String> {
    let parsed = text.split_once('=').and_then(|(node_id, name)| {
        let node_id = node_id.parse().ok()?;
        (!name.is_empty()).then(|| (node_id, name.to_owned()))
    });
    parsed.ok_or_else(|| "must be NODE_ID=NAME, such as 2=node-2.internal".to_owned())
}

/// Makes what is missing and replaces the certificates that were asked for.
pub fn run(options: &Options) -> Result<(), CommandError> {
    let authority = open(&options.out, &options.name, options.days)?;
    authority.make_nodes(&options.nodes, &options.hosts)?;
    let out = options.out.display();
    let mut text = String::new();
    if !options.nodes.is_empty() {
        text = format!(
            "{out}/ca.pem, and node-<id>.pem with node-<id>.key for {} nodes.\nGive each node ca.pem and its own two files.\n",
            options.nodes.len()
        );
    }
    if options.operator {
        authority.make_operator()?;
        text += &format!(
            "{out}/operator.pem and operator.key: with them, agentidp cluster status --operator-cert operator.pem --operator-key operator.key --ca ca.pem needs no token.\n"
        );
    }
    text += &format!("Keep {out}/ca.key where no node is: whoever has it can be any node, and any operator.");
    Ok(output::line(&text)?)
}

/// An authority and the folder that its certificates go to.
pub struct CertificateFolder {
    folder: PathBuf,
    authority: CertificateAuthority,
    validity: Validity,
}

/// The authority in a folder, which is made where there is none.
pub fn open(folder: &Path, cluster: &str, days: u32) -> Result<CertificateFolder, CommandError> {
    let now = Machine::real().clock.now();
    std::fs::create_dir_all(folder)?;
    Ok(CertificateFolder {
        folder: folder.to_owned(),
        authority: authority(folder, cluster, Validity::starting(now, DAY * days * 10))?,
        validity: valid_for(now, days),
    })
}

impl CertificateFolder {
    /// Makes a certificate for each node.
    pub fn make_nodes(&self, nodes: &[u64], hosts: &[(u64, String)]) -> Result<(), CommandError> {
        for node_id in nodes {
            let further = hosts
                .iter()
                .filter(|(of, _)| of == node_id)
                .map(|(_, name)| name.clone());
            let names: Vec<String> = LOCAL_NAMES.map(str::to_owned).into_iter().chain(further).collect();
            let issued = self
                .authority
                .issue(*node_id, &names, self.validity)
                .map_err(cluster_error)?;
            self.write(&format!("node-{node_id}"), &issued)?;
        }
        Ok(())
    }

    /// Makes a certificate for operators.
    pub fn make_operator(&self) -> Result<(), CommandError> {
        let issued = self.authority.issue_operator(self.validity).map_err(cluster_error)?;
        self.write("operator", &issued)
    }

    fn write(&self, name: &str, issued: &NodeCertificate) -> Result<(), CommandError> {
        let file = |ending: &str| self.folder.join(format!("{name}.{ending}"));
        write(&file("pem"), &issued.certificate_pem, 0o644)?;
        write(&file("key"), issued.key_pem.expose(), 0o600)
    }
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
