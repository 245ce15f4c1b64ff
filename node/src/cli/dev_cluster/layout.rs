//! Where the nodes of a development cluster have their files and ports, and what is remembered between two starts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::{Installation, prepare_data_directory};
use crate::cli::cluster::open_certificates;
use crate::cli::output::CommandError;
use crate::config::{Config, ServerConfig, callable};

/// What is remembered, in the data directory.
const MEMORY_FILE: &str = "cluster.json";
/// Where nodes listen to each other if these ports are free: this one and those that follow.
const PEER_PORT: u16 = 3_950;
/// For how many days certificates are valid; they are made anew at every start.
const CERTIFICATE_DAYS: u32 = 365;

/// A node of the cluster.
pub struct Member {
    /// Its number, from 1.
    pub node_id: u64,
    /// Its data directory.
    pub folder: PathBuf,
    /// Where it serves agents.
    pub listen: SocketAddr,
    /// Where it serves operators.
    pub operator: SocketAddr,
    /// Where it listens to the other nodes.
    pub peers: SocketAddr,
}

/// The files and ports of all nodes.
pub struct Layout {
    data_dir: PathBuf,
    members: Vec<Member>,
    memory: Memory,
}

/// Who administers the installation.
pub struct Administrator {
    /// The administrator's `client_id`.
    pub client_id: String,
    /// Its secret, at the first start only.
    pub client_secret: Option<domain::Secret>,
    /// The system organization.
    pub organization_id: String,
}

/// What is remembered between two starts: members know each other by these addresses.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    peers: Vec<SocketAddr>,
    client_id: Option<String>,
    organization_id: Option<String>,
    /// Whether all nodes have been added to the cluster.
    joined: bool,
}

impl Layout {
    /// Makes the folders, certificates and configurations of so many nodes. The first one listens where the configuration
    /// says, the others at the ports that follow; port 0 picks free ones.
    pub fn prepare(config: &Config, nodes: u16) -> Result<Self, CommandError> {
        let data_dir = std::path::absolute(&config.cluster.data_dir)?;
        prepare_data_directory(&data_dir)?;
        let memory = recall(&data_dir, config.cluster.listen, nodes)?;
        let mut layout = Self {
            members: members(&data_dir, &config.server, &memory)?,
            data_dir,
            memory,
        };
        layout.memorize()?;
        let numbers: Vec<u64> = layout.members.iter().map(|member| member.node_id).collect();
        open_certificates(&layout.certificates(), "agentidp", CERTIFICATE_DAYS)?.make_nodes(&numbers, &[])?;
        for member in &layout.members {
            prepare_data_directory(&member.folder)?;
            std::fs::write(member.config_file(), layout.configuration(member)?)?;
        }
        Ok(layout)
    }

    /// All nodes, by their numbers.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The node that founds the cluster.
    pub fn first(&self) -> &Member {
        self.members.first().expect("a cluster has at least one node")
    }

    /// Where everything is.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What all nodes say they are.
    pub fn issuer(&self) -> String {
        self.first().url()
    }

    /// The operators' token, which all nodes share.
    pub fn operator_token_file(&self) -> PathBuf {
        self.data_dir.join("operator.token")
    }

    /// Who administers the installation, if it has been made.
    pub fn administrator(&self) -> Option<Administrator> {
        let Memory {
            client_id,
            organization_id,
            ..
        } = self.memory.clone();
        Some(Administrator {
            client_id: client_id?,
            client_secret: None,
            organization_id: organization_id?,
        })
    }

    /// The installation was made.
    pub fn on_installed(&mut self, installation: Installation) -> Result<Administrator, CommandError> {
        let administrator = Administrator {
            client_id: installation.admin.client_id.to_string(),
            client_secret: installation.admin.client_secret,
            organization_id: installation.organization_id.to_string(),
        };
        self.memory.client_id = Some(administrator.client_id.clone());
        self.memory.organization_id = Some(administrator.organization_id.clone());
        self.memorize()?;
        Ok(administrator)
    }

    fn certificates(&self) -> PathBuf {
        self.data_dir.join("certs")
    }

    fn memorize(&mut self) -> Result<(), CommandError> {
        self.memory.peers = self.members.iter().map(|member| member.peers).collect();
        let text = serde_json::to_string_pretty(&self.memory).map_err(std::io::Error::other)?;
        let (path, next) = (self.data_dir.join(MEMORY_FILE), self.data_dir.join("cluster.json.next"));
        std::fs::write(&next, text)?;
        Ok(std::fs::rename(next, path)?)
    }

    fn configuration(&self, member: &Member) -> Result<String, CommandError> {
        let (data_dir, certificates, node_id) = (&self.data_dir, self.certificates(), member.node_id);
        let mut configuration = json!({
            "server": {
                "listen": member.listen,
                "operator_listen": member.operator,
                "public_url": self.issuer(),
                "operator_token_file": self.operator_token_file(),
            },
            "store": { "url": format!("embedded:{}", data_dir.join("agentidp.db").display()) },
            "cluster": {
                "node_id": node_id,
                "data_dir": member.folder,
                "listen": member.peers,
                "tls": {
                    "ca": certificates.join("ca.pem"),
                    "cert": certificates.join(format!("node-{node_id}.pem")),
                    "key": certificates.join(format!("node-{node_id}.key")),
                },
            },
        });
        // The first node makes the key, where a node keeps it by default; the others share it.
        if node_id != self.first().node_id {
            let master_key = self.first().folder.join("master.key");
            configuration["keys"] = json!({ "master_key_file": master_key });
        }
        Ok(toml::to_string(&configuration).map_err(std::io::Error::other)?)
    }
}

impl Member {
    /// Its configuration.
    pub fn config_file(&self) -> PathBuf {
        self.folder.join("agentidp.toml")
    }

    /// What it logs.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("agentidp.log")
    }

    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://{}", callable(self.listen))
    }

    /// The address of its operator listener.
    pub fn operator_url(&self) -> String {
        format!("http://{}", callable(self.operator))
    }
}

fn recall(data_dir: &Path, wanted: Option<SocketAddr>, nodes: u16) -> Result<Memory, CommandError> {
    let path = data_dir.join(MEMORY_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // A folder of a single node holds an installation that a cluster would not find.
            return if data_dir.join("raft").exists() {
                Err(CommandError::OneNodeOnly {
                    path: data_dir.to_owned(),
                })
            } else {
                Ok(Memory {
                    peers: peer_addresses(wanted, nodes)?,
                    ..Memory::default()
                })
            };
        }
        Err(source) => return Err(CommandError::Unreadable { path, source }),
    };
    let memory: Memory = serde_json::from_str(&text).map_err(|error| CommandError::Unreadable {
        path,
        source: error.into(),
    })?;
    if memory.peers.len() != usize::from(nodes) {
        return Err(CommandError::OtherNodes {
            path: data_dir.to_owned(),
            nodes: memory.peers.len(),
        });
    }
    Ok(memory)
}

fn members(data_dir: &Path, server: &ServerConfig, memory: &Memory) -> Result<Vec<Member>, CommandError> {
    let count = memory.peers.len();
    let agents = addresses(server.listen, count)?;
    let operators = addresses(server.operator_listen, count)?;
    let both = agents.into_iter().zip(operators).zip(&memory.peers).zip(1..);
    Ok(both
        .map(|(((listen, operator), peers), node_id)| Member {
            node_id,
            folder: data_dir.join(format!("node-{node_id}")),
            listen,
            operator,
            peers: *peers,
        })
        .collect())
}

/// The first address and those at the ports that follow; free ones if no port was chosen.
fn addresses(first: SocketAddr, count: usize) -> Result<Vec<SocketAddr>, CommandError> {
    if first.port() == 0 {
        return free(first.ip(), count);
    }
    let ports = (first.port()..=u16::MAX).take(count);
    Ok(ports.map(|port| SocketAddr::new(first.ip(), port)).collect())
}

/// Where it was asked for; else the usual ports if they are free, and others if they are not.
fn peer_addresses(wanted: Option<SocketAddr>, nodes: u16) -> Result<Vec<SocketAddr>, CommandError> {
    if let Some(first) = wanted {
        return addresses(first, usize::from(nodes));
    }
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let usual: Vec<SocketAddr> = (PEER_PORT..PEER_PORT + nodes)
        .map(|port| SocketAddr::new(loopback, port))
        .collect();
    if usual.iter().all(|address| TcpListener::bind(address).is_ok()) {
        return Ok(usual);
    }
    free(loopback, usize::from(nodes))
}

/// Free ports, all different.
fn free(address: IpAddr, count: usize) -> Result<Vec<SocketAddr>, CommandError> {
    // All are held until the last is found.
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((address, 0)))
        .collect::<Result<_, _>>()?;
    Ok(held.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn prepare(data_dir: &Path, nodes: u16) -> Result<Layout, CommandError> {
        prepare_at("127.0.0.1:0", data_dir, nodes)
    }

    fn prepare_at(listen: &str, data_dir: &Path, nodes: u16) -> Result<Layout, CommandError> {
        let any = |key: &str| (key.to_owned(), "127.0.0.1:0".to_owned());
        let place = ("cluster.data_dir".to_owned(), data_dir.display().to_string());
        let settings = [
            ("server.listen".to_owned(), listen.to_owned()),
            any("server.operator_listen"),
            any("cluster.listen"),
            place,
        ];
        let (config, _) = Config::load(vec![Source::new("test", settings)]).expect("valid");
        Layout::prepare(&config, nodes)
    }

    #[test]
    fn what_is_written_can_be_read_and_the_ports_of_peers_stay() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let first = prepare(scratch.path(), 3).expect("prepared");
        std::fs::write(first.first().folder.join("master.key"), "ab".repeat(32)).expect("it can be written");
        let again = prepare(scratch.path(), 3).expect("prepared");
        for (member, before) in again.members().iter().zip(first.members()) {
            let file = Source::file(&member.config_file()).expect("readable");
            let (config, _) = Config::load(vec![file]).expect("valid");
            assert_eq!(config.cluster.node_id, member.node_id);
            assert_eq!(config.cluster.listen, Some(before.peers));
            assert_eq!(config.server.public_url, Some(again.issuer()));
            assert_eq!(config.operator_token_file(), again.operator_token_file());
        }
        let fewer = prepare(scratch.path(), 2).err().expect("refused");
        assert!(fewer.to_string().contains("--nodes 3"), "{fewer}");
    }

    #[test]
    fn nodes_that_listen_on_all_addresses_are_called_on_this_machine() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let layout = prepare_at("0.0.0.0:3700", scratch.path(), 1).expect("prepared");
        assert_eq!(layout.issuer(), "http://127.0.0.1:3700");
        assert_eq!(layout.first().url(), layout.issuer());
        assert!(layout.first().listen.ip().is_unspecified());
    }

    #[test]
    fn the_folder_of_a_single_node_is_left_alone() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(scratch.path().join("raft")).expect("it can be made");
        let refused = prepare(scratch.path(), 3).err().expect("refused");
        assert!(refused.to_string().contains("--data-dir"), "{refused}");
    }
}
