//! A cluster over real networks: nodes in namespaces of their own, mutual TLS between them, PostgreSQL and Redis beside
//! them, made with the commands that an operator would use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::blueprint::{Blueprint, NodePlan};
use super::failure::Failure;
use super::gateway::Gateway;
use super::history::NodeId;
use super::member::Member;
use super::names::Names;
use super::network::Network;
use super::random::Random;
use super::workload::Target;
use crate::client::Client;
use crate::full_disk::SmallDisk;
use crate::postgres::Database;
use crate::{binary, settings};

/// For which nodes certificates are made: all that a run may ever have.
const NODES_EVER: u64 = 30;
/// How long anything that should happen soon may take on a busy machine.
const SOON: Duration = Duration::from_secs(45);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A node's listener for operators, as seen from where the node is.
const OPERATOR: &str = "http://127.0.0.1:3900";
/// The most megabytes of a data directory; so it can be filled quickly.
const DISK_MEGABYTES: u32 = 24;

/// Where a node stands and whether it votes.
#[derive(Clone)]
pub struct Role {
    /// The region; empty if regions do not matter.
    pub region: String,
    /// Whether it votes.
    pub is_voter: bool,
}

/// The nodes and all that is around them. Everything is removed when dropped.
pub struct Cluster {
    /// The nodes by their numbers.
    pub members: BTreeMap<u64, Member>,
    /// What lies between them.
    pub network: Network,
    /// The installation's files.
    pub blueprint: Blueprint,
    /// Who administers it.
    pub admin: Client,
    http: reqwest::Client,
    _gateways: Vec<Gateway>,
    _database: Database,
    _folder: tempfile::TempDir,
}

impl Cluster {
    /// A cluster of these nodes, numbered from 1; returns when all are ready and those that are to vote do.
    pub async fn start(roles: &[Role], random: Random) -> Result<Self, Failure> {
        let mut cluster = Self::prepare(random).await?;
        for role in roles {
            cluster.add(role).await?;
        }
        cluster.until_settled().await?;
        Ok(cluster)
    }

    async fn prepare(random: Random) -> Result<Self, Failure> {
        let network = Network::make(random)?;
        let folder = tempfile::Builder::new()
            .prefix(&Names::of_this_process().folder())
            .tempdir()?;
        let database = Database::fresh().await;
        let mut gateways = Vec::new();
        let store_url = behind_gateway(&database.url(), &network, &mut gateways).await?;
        let redis_url = match settings::redis_url() {
            Some(url) => Some(behind_gateway(&url, &network, &mut gateways).await?),
            None => None,
        };
        let http = reqwest::Client::builder().no_proxy().timeout(SOON / 3).build()?;
        Ok(Self {
            members: BTreeMap::new(),
            network,
            blueprint: Blueprint {
                folder: folder.path().to_owned(),
                store_url,
                redis_url,
            },
            admin: Client {
                id: String::new(),
                secret: String::new(),
                credential: String::new(),
            },
            http,
            _gateways: gateways,
            _database: database,
            _folder: folder,
        })
    }

    /// Adds a node with the next number: the first founds the cluster, the others are invited. Returns when it is ready.
    pub async fn add(&mut self, role: &Role) -> Result<u64, Failure> {
        let node_id = self.members.keys().max().map_or(1, |last| last + 1);
        self.network.add_node(node_id)?;
        let disk = SmallDisk::mount_as(&Names::of_this_process().folder(), DISK_MEGABYTES);
        let folder = disk
            .as_ref()
            .map_or(self.blueprint.folder.clone(), |disk| disk.path().to_owned());
        let plan = NodePlan {
            node_id,
            client_side: self.network.client_side(node_id),
            peer_side: self.network.peer_side(node_id),
            data_dir: folder.join(format!("node-{node_id}")),
            region: role.region.clone(),
            is_voter: role.is_voter,
        };
        self.blueprint.write(&plan)?;
        let mut member = Member::new(plan, disk, &self.blueprint);
        if self.members.is_empty() {
            self.found(node_id).await?;
        } else {
            self.join(node_id).await?;
        }
        member.start(&self.network, None)?;
        self.members.insert(node_id, member);
        self.until_ready(node_id).await?;
        Ok(node_id)
    }

    async fn found(&mut self, node_id: u64) -> Result<(), Failure> {
        self.blueprint.make_master_key()?;
        let certificates = self.blueprint.certificates().display().to_string();
        let nodes: Vec<String> = (1..=NODES_EVER).map(|node_id| node_id.to_string()).collect();
        let nodes = nodes.join(",");
        self.run(
            node_id,
            &["cluster", "certs", "--out", &certificates, "--nodes", &nodes],
        )
        .await?;
        let config = self.config(node_id);
        let line = self.run(node_id, &["init", "--json", "--config", &config]).await?;
        let made: Value = serde_json::from_str(&line).map_err(|error| Failure::new(format!("{error}: {line}")))?;
        let text = |member: &str| made[member].as_str().unwrap_or_default().to_owned();
        self.admin = Client {
            id: text("clientId"),
            secret: text("clientSecret"),
            credential: String::new(),
        };
        Ok(())
    }

    async fn join(&self, node_id: u64) -> Result<(), Failure> {
        let line = self.operate(&["invite", "--json"]).await?;
        let made: Value = serde_json::from_str(&line).map_err(|error| Failure::new(format!("{error}: {line}")))?;
        let file = self.blueprint.folder.join(format!("invite-{node_id}"));
        std::fs::write(&file, made["invite"].as_str().unwrap_or_default())?;
        let (config, file) = (self.config(node_id), file.display().to_string());
        let words = [
            "cluster",
            "join",
            "--config",
            &config,
            "--seed",
            OPERATOR,
            "--invite-file",
            &file,
        ];
        self.run_until_done(&words).await.map(drop)
    }

    /// `agentidp cluster …` as an operator runs it, at a node that lives, and again if the node can't do it now; what it
    /// prints.
    pub async fn operate(&self, words: &[&str]) -> Result<String, Failure> {
        let token = self.blueprint.operator_token_file().display().to_string();
        let options = ["--operator", OPERATOR, "--operator-token-file", &token];
        self.run_until_done(&[&["cluster"], words, &options].concat()).await
    }

    /// Asks a node to write a snapshot, whether it can or not.
    pub async fn snapshot_at(&self, node_id: u64) {
        let token = self.blueprint.operator_token_file().display().to_string();
        let words = [
            "cluster",
            "snapshot",
            "--operator",
            OPERATOR,
            "--operator-token-file",
            &token,
        ];
        let _ = self.run(node_id, &words).await;
    }

    async fn run_until_done(&self, words: &[&str]) -> Result<String, Failure> {
        let give_up_at = Instant::now() + SOON;
        loop {
            let node_id = self.some_ready_node().await?;
            match self.run(node_id, words).await {
                Err(_) if Instant::now() < give_up_at => sleep(LOOK_EVERY).await,
                done => return done,
            }
        }
    }

    /// Runs the program where a node is.
    async fn run(&self, node_id: u64, words: &[&str]) -> Result<String, Failure> {
        let mut command = tokio::process::Command::from(self.network.command_at(node_id, &binary::path()));
        command
            .args(words)
            .env_clear()
            .env("PATH", settings::search_path())
            .current_dir(&self.blueprint.folder)
            .kill_on_drop(true);
        let output = tokio::time::timeout(SOON, command.output()).await;
        let output = output.map_err(|_| Failure::new(format!("agentidp {words:?} takes too long")))??;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::new(format!("agentidp {words:?}: {complaint}")))
    }

    fn config(&self, node_id: u64) -> String {
        self.blueprint.config_file(node_id).display().to_string()
    }

    /// The first node that is ready.
    async fn some_ready_node(&self) -> Result<u64, Failure> {
        let give_up_at = Instant::now() + SOON;
        loop {
            for node_id in self.members.keys() {
                if self.is_ready(*node_id).await {
                    return Ok(*node_id);
                }
            }
            if Instant::now() >= give_up_at {
                return Err(Failure::new(format!(
                    "no node was ready within {SOON:?}\n{}",
                    self.last_words()
                )));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Whether a node says that it is ready.
    pub async fn is_ready(&self, node_id: u64) -> bool {
        let Some(member) = self.members.get(&node_id) else {
            return false;
        };
        let asked = self.http.get(format!("{}/health/ready", member.url()));
        let answer = asked.timeout(Duration::from_secs(2)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// The members, asked from one that is ready.
    pub async fn status(&self) -> Result<Value, Failure> {
        let text = self.operate(&["status", "--json"]).await?;
        serde_json::from_str(&text).map_err(|error| Failure::new(format!("the status is no JSON: {error}")))
    }

    /// Who leads, when somebody does.
    pub async fn leader(&self) -> Result<u64, Failure> {
        let give_up_at = Instant::now() + SOON;
        loop {
            if let Some(leader) = self.status().await?["leader"].as_u64() {
                return Ok(leader);
            }
            if Instant::now() >= give_up_at {
                return Err(Failure::new(format!("there was no leader within {SOON:?}")));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until a node is ready.
    pub async fn until_ready(&self, node_id: u64) -> Result<(), Failure> {
        let give_up_at = Instant::now() + SOON;
        while !self.is_ready(node_id).await {
            if Instant::now() >= give_up_at {
                let words = self.last_words();
                return Err(Failure::new(format!(
                    "node {node_id} was not ready within {SOON:?}\n{words}"
                )));
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Waits until all is as it should be: every node is ready, reached by the others, and has the vote that it wants.
    pub async fn until_settled(&self) -> Result<(), Failure> {
        let give_up_at = Instant::now() + SOON;
        loop {
            let mut status = Value::Null;
            if self.all_ready().await {
                status = self.status().await?;
                if self.is_whole(&status) {
                    return Ok(());
                }
            }
            if Instant::now() >= give_up_at {
                let words = self.last_words();
                return Err(Failure::new(format!(
                    "the cluster was not whole again within {SOON:?}: {status}\n{words}"
                )));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn all_ready(&self) -> bool {
        for node_id in self.members.keys() {
            if !self.is_ready(*node_id).await {
                return false;
            }
        }
        true
    }

    fn is_whole(&self, status: &Value) -> bool {
        let members = status["members"].as_array().cloned().unwrap_or_default();
        let known: BTreeSet<u64> = members.iter().filter_map(|member| member["nodeId"].as_u64()).collect();
        let is_well = |member: &Value| {
            let wanted = member["nodeId"].as_u64().and_then(|node_id| self.members.get(&node_id));
            member["fresh"] == true && wanted.is_some_and(|wanted| member["voter"] == wanted.plan.is_voter)
        };
        status["leader"].is_u64() && known == self.node_ids() && members.iter().all(is_well)
    }

    /// Whether the others see that a node takes part and that its view is recent.
    pub async fn takes_part(&self, node_id: u64) -> bool {
        let status = self.status().await.unwrap_or_default();
        let members = status["members"].as_array().cloned().unwrap_or_default();
        let mut members = members.iter().filter(|member| member["nodeId"] == node_id);
        members.any(|member| member["fresh"] == true && member["role"] != "stopped")
    }

    /// Where clients find the nodes.
    pub fn targets(&self) -> Vec<Target> {
        let targets = self.members.iter().map(|(node_id, member)| Target {
            node: NodeId(*node_id),
            url: member.url(),
        });
        targets.collect()
    }

    /// The numbers of all nodes.
    pub fn node_ids(&self) -> BTreeSet<u64> {
        self.members.keys().copied().collect()
    }

    /// A node.
    pub fn member(&mut self, node_id: u64) -> Result<&mut Member, Failure> {
        let found = self.members.get_mut(&node_id);
        found.ok_or_else(|| Failure::new(format!("there is no node {node_id}")))
    }

    /// Starts a node's process again.
    pub fn start_again(&mut self, node_id: u64) -> Result<(), Failure> {
        let member = self.members.get_mut(&node_id);
        let member = member.ok_or_else(|| Failure::new(format!("there is no node {node_id}")))?;
        member.start(&self.network, None)
    }

    /// The last lines of every node's log.
    pub fn last_words(&self) -> String {
        let words = self.members.iter().map(|(node_id, member)| {
            let said = member.last_words(12);
            format!("--- node {node_id}\n{said}")
        });
        words.collect::<Vec<_>>().join("\n")
    }

    /// Copies what nodes have logged to a folder that stays.
    pub fn keep_logs(&self, folder: &std::path::Path) -> Result<(), Failure> {
        std::fs::create_dir_all(folder)?;
        for node_id in 1..=NODES_EVER {
            let file: PathBuf = self.blueprint.log_file(node_id);
            if let (true, Some(name)) = (file.exists(), file.file_name()) {
                std::fs::copy(&file, folder.join(name))?;
            }
        }
        Ok(())
    }
}

/// The same URL with a host that nodes can reach.
async fn behind_gateway(url: &str, network: &Network, gateways: &mut Vec<Gateway>) -> Result<String, Failure> {
    let mut url: Url = url.parse().map_err(|_| Failure::new(format!("{url} is no URL")))?;
    let default = if url.scheme() == "redis" { 6_379 } else { 5_432 };
    let there = format!(
        "{}:{}",
        url.host_str().unwrap_or("127.0.0.1"),
        url.port().unwrap_or(default)
    );
    let gateway = Gateway::open(network.gateway(), there).await?;
    let changed = url.set_host(Some(&network.gateway().to_string()));
    let changed = changed.is_ok() && url.set_port(Some(gateway.address().port())).is_ok();
    gateways.push(gateway);
    if changed {
        Ok(url.to_string())
    } else {
        Err(Failure::new(format!("{url} can't be given another host")))
    }
}
