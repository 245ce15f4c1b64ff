//! The replicated state: where this node keeps its part, and how patient it is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cluster::{Formats, check_address};

use super::reader::Reader;
use super::value::Value;

/// Section `cluster`.
#[derive(Clone)]
pub struct ClusterSection {
    /// This node's number, from 1.
    pub node_id: u64,
    /// Where the log, the snapshots and, by default, the embedded store are.
    pub data_dir: PathBuf,
    /// The cluster's name, which its nodes' certificates carry: `node-<id>.<name>`.
    pub name: String,
    /// Where other nodes are listened to; absent in a cluster of one.
    pub listen: Option<SocketAddr>,
    /// Where other nodes reach this one, `host:port`; `listen` when absent.
    pub advertise: Option<String>,
    /// Where this node stands; empty if regions do not matter.
    pub region: String,
    /// Where the leader had better stand; empty if regions do not matter. The same on every node.
    pub preferred_leader_region: String,
    /// Whether this node is to vote.
    pub role: MemberRole,
    /// The cluster's authority, this node's certificate and its key, in PEM. Without them nodes talk on loopback only.
    pub tls: Option<ClusterTls>,
    /// How often a leader says that it lives.
    pub heartbeat: Duration,
    /// How long a follower waits for that: drawn between the two.
    pub election_timeout: (Duration, Duration),
    /// How old the view of revocations may be before the node stops vouching for tokens.
    pub max_revocation_staleness: Duration,
    /// Keeps the cluster from going beyond this format of the replicated state; without it, the members go as far as all
    /// of them know, and then the version before can't be started again.
    pub format_max: Option<u8>,
}

/// Whether a node votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberRole {
    /// It votes when it has caught up.
    #[default]
    Voter,
    /// It follows without a vote: for regions that mostly read.
    Learner,
}

impl Value for MemberRole {
    const EXPECTED: &'static str = "voter or learner";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "voter" => Some(Self::Voter),
            "learner" => Some(Self::Learner),
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            Self::Voter => "voter".to_owned(),
            Self::Learner => "learner".to_owned(),
        }
    }
}

/// The files of mutual TLS between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterTls {
    /// The certificate of the cluster's authority.
    pub ca: PathBuf,
    /// This node's certificate.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl ClusterSection {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let listen: Option<SocketAddr> = reader.optional("cluster.listen");
        let config = Self {
            name: reader.value("cluster.name", "agentidp".to_owned()),
            listen,
            advertise: reader.optional("cluster.advertise"),
            region: reader.value("cluster.region", String::new()),
            preferred_leader_region: reader.value("cluster.preferred_leader_region", String::new()),
            role: reader.value("cluster.role", MemberRole::default()),
            tls: read_tls(reader),
            node_id: reader.value("cluster.node_id", 1),
            data_dir: reader.value("cluster.data_dir", PathBuf::from("agentidp-data")),
            heartbeat: reader.value("cluster.heartbeat", Duration::from_millis(100)),
            election_timeout: reader.value(
                "cluster.election_timeout",
                (Duration::from_millis(500), Duration::from_secs(1)),
            ),
            max_revocation_staleness: reader.value("cluster.max_revocation_staleness", Duration::from_secs(5)),
            format_max: reader.optional("cluster.format_max"),
        };
        if config.node_id == 0 {
            reader.mistake("cluster.node_id", "must be at least 1");
        }
        if let Some(Err(refusal)) = config.format_max.map(Formats::held_at) {
            reader.mistake("cluster.format_max", refusal.to_string());
        }
        config.check_addresses(reader);
        let (shortest, longest) = config.election_timeout;
        if config.heartbeat.is_zero() || config.heartbeat * 2 >= shortest || shortest >= longest {
            let reason =
                "must be a range that begins above twice cluster.heartbeat, or leaders would be deposed for nothing";
            reader.mistake("cluster.election_timeout", reason);
        }
        if config.max_revocation_staleness < Duration::from_millis(500) {
            reader.mistake(
                "cluster.max_revocation_staleness",
                "must be at least 500ms: freshness is confirmed four times a second",
            );
        }
        config
    }

    fn check_addresses(&self, reader: &mut Reader) {
        let Some(listen) = self.listen else {
            if self.advertise.is_some() {
                reader.mistake(
                    "cluster.advertise",
                    "needs cluster.listen: this node listens to no other node",
                );
            }
            return;
        };
        if let Some(Err(reason)) = self.advertise.as_deref().map(check_address) {
            reader.mistake("cluster.advertise", reason);
        }
        if listen.ip().is_unspecified() && self.advertise.is_none() {
            reader.mistake(
                "cluster.advertise",
                "must say where other nodes reach this one, since cluster.listen names no address that they could call",
            );
        }
        if !listen.ip().is_loopback() && self.tls.is_none() {
            reader.mistake(
                "cluster.tls",
                "needs ca, cert and key: nodes on several machines talk over mutual TLS only; agentidp cluster certs makes them",
            );
        }
    }

    /// Where other nodes reach this one; empty in a cluster of one.
    pub fn advertised(&self) -> String {
        let listen = self.listen.map(|address| address.to_string());
        self.advertise.clone().or(listen).unwrap_or_default()
    }
}

fn read_tls(reader: &mut Reader) -> Option<ClusterTls> {
    let (ca, cert, key) = (
        reader.optional("cluster.tls.ca"),
        reader.optional("cluster.tls.cert"),
        reader.optional("cluster.tls.key"),
    );
    match (ca, cert, key) {
        (Some(ca), Some(cert), Some(key)) => Some(ClusterTls { ca, cert, key }),
        (None, None, None) => None,
        _ => {
            reader.mistake("cluster.tls", "needs all of ca, cert and key");
            None
        }
    }
}
