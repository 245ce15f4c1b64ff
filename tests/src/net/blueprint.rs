//! The files of an installation: one folder with the certificates, the operators' token, the master key, and for each
//! node a configuration that could be used anywhere.

use simulation::MAX_STALENESS_SECONDS;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The port of a node's listener for agents.
pub const AGENTS_PORT: u16 = 3_000;
/// The port of its listener for operators.
const OPERATORS_PORT: u16 = 3_900;
/// The port of its listener for the other nodes.
pub const PEERS_PORT: u16 = 3_950;

/// What all nodes have in common.
pub struct Blueprint {
    /// Where the files are.
    pub folder: PathBuf,
    /// The store, as the nodes reach it.
    pub store_url: String,
    /// Redis, if there is one.
    pub redis_url: Option<String>,
}

/// What is a node's own.
pub struct NodePlan {
    /// Its number.
    pub node_id: u64,
    /// Its address for clients.
    pub client_side: Ipv4Addr,
    /// Its address for the other nodes.
    pub peer_side: Ipv4Addr,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Where it stands.
    pub region: String,
    /// Whether it is to vote.
    pub is_voter: bool,
}

impl Blueprint {
    /// Makes the master key that all nodes share: 256 random bits in hexadecimal digits.
    pub fn make_master_key(&self) -> std::io::Result<()> {
        let mut bytes = [0_u8; 32];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(self.master_key_file())?.write_all(digits.as_bytes())
    }

    fn master_key_file(&self) -> PathBuf {
        self.folder.join("master.key")
    }

    /// Where certificates are.
    pub fn certificates(&self) -> PathBuf {
        self.folder.join("certs")
    }

    /// The operators' token.
    pub fn operator_token_file(&self) -> PathBuf {
        self.folder.join("operator.token")
    }

    /// A node's configuration.
    pub fn config_file(&self, node_id: u64) -> PathBuf {
        self.folder.join(format!("node-{node_id}.toml"))
    }

    /// What a node says.
    pub fn log_file(&self, node_id: u64) -> PathBuf {
        self.folder.join(format!("node-{node_id}.log"))
    }

    /// Writes a node's configuration.
    pub fn write(&self, plan: &NodePlan) -> std::io::Result<()> {
        std::fs::create_dir_all(&plan.data_dir)?;
        std::fs::write(self.config_file(plan.node_id), self.configuration(plan))
    }

    fn configuration(&self, plan: &NodePlan) -> String {
        let NodePlan {
            node_id,
            client_side,
            peer_side,
            data_dir,
            region,
            is_voter,
        } = plan;
        let role = if *is_voter { "voter" } else { "learner" };
        let path = |path: &Path| format!("{:?}", path.display().to_string());
        let certificate = |ending: &str| path(&self.certificates().join(format!("node-{node_id}.{ending}")));
        let redis = self.redis_url.as_ref();
        [
            "[server]".to_owned(),
            format!("listen = \"{client_side}:{AGENTS_PORT}\""),
            // Operators speak plain HTTP on the node's own machine only, and so the command line runs where the node is.
            format!("operator_listen = \"127.0.0.1:{OPERATORS_PORT}\""),
            "public_url = \"https://id.agentidp.example\"".to_owned(),
            format!("operator_token_file = {}", path(&self.operator_token_file())),
            "drain_timeout = \"10s\"".to_owned(),
            "[store]".to_owned(),
            format!("url = {:?}", self.store_url),
            redis.map_or_else(String::new, |url| format!("[redis]\nurl = {url:?}")),
            "[cluster]".to_owned(),
            format!("node_id = {node_id}"),
            format!("data_dir = {}", path(data_dir)),
            format!("listen = \"{peer_side}:{PEERS_PORT}\""),
            format!("region = {region:?}"),
            format!("role = \"{role}\""),
            format!("max_revocation_staleness = \"{MAX_STALENESS_SECONDS}s\""),
            format!("tls.ca = {}", path(&self.certificates().join("ca.pem"))),
            format!("tls.cert = {}", certificate("pem")),
            format!("tls.key = {}", certificate("key")),
            "[keys]".to_owned(),
            format!("master_key_file = {}", path(&self.master_key_file())),
            "[limits]".to_owned(),
            "requests_per_minute = 0".to_owned(),
            "token_requests_per_minute = 0".to_owned(),
            "introspect_per_minute = 0".to_owned(),
            "verify_per_minute = 0".to_owned(),
            "[telemetry]".to_owned(),
            "log_format = \"pretty\"".to_owned(),
            String::new(),
        ]
        .join("\n")
    }
}
