//! The cluster's members, for operators: `/cluster/…` on a node's operator listener.
//!
//! A [`Client`] that is to call these is built with the address of that listener, and needs no credentials of an agent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::Client;
use crate::cluster_keys::{ClusterKeys, RotateKeys};
use crate::error::Error;
use crate::query::Query;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::transport::{Call, Method, Response};

/// Looks at the members and changes them, in an operator's name.
pub struct Cluster<'a> {
    client: &'a Client,
    token: Option<&'a Secret>,
}

/// The members, asked from one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// Who was asked.
    pub node_id: u64,
    /// Who leads, as far as that one knows.
    pub leader: Option<u64>,
    /// The Raft term.
    pub term: u64,
    /// The format of the replicated state that the members have agreed on; absent from a version that knows only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<u8>,
    /// All members, by their numbers.
    pub members: Vec<MemberStatus>,
}

/// A member, and what it says of itself if it can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberStatus {
    /// Its number.
    pub node_id: u64,
    /// Where the other members reach it.
    pub address: String,
    /// Where it stands; empty if regions do not matter.
    pub region: String,
    /// Whether it votes.
    pub voter: bool,
    /// Whether it could be asked; if not, the rest is missing.
    pub reachable: bool,
    /// Why it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `leader`, `follower`, `candidate`, `learner` or `stopped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The Raft term that it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
    /// Index of the last log entry that is part of its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied: Option<u64>,
    /// How many entries it is behind the leader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
    /// How old its view of revocations may be, in milliseconds; absent before its first proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness_ms: Option<u64>,
    /// Whether it may vouch for tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<bool>,
    /// How many revocations it remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocations: Option<u64>,
    /// The version of its software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How long it has been running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
}

/// An invitation, which lets one node join.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// What the node shows; in this answer and nowhere else.
    pub invite: Secret,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A piece of a snapshot of the replicated state.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SnapshotPiece {
    /// Which snapshot.
    pub index: u64,
    /// Where in the file it begins.
    pub offset: u64,
    /// The piece.
    #[serde(deserialize_with = "from_base64")]
    pub bytes: Vec<u8>,
    /// Whether the file ends with it.
    pub last: bool,
}

fn from_base64<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

/// A node that wants to belong to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Its number; unique in the cluster and never given to another node.
    pub node_id: u64,
    /// Where the other members reach it, such as `node-2.internal:3950`.
    pub address: String,
    /// Where it stands; empty if regions do not matter.
    pub region: String,
    /// Whether it is to vote once it has caught up.
    pub voter: bool,
    /// The latest format of the replicated state that it knows.
    pub known_format: Option<u8>,
}

impl<'a> Cluster<'a> {
    pub(crate) fn of(client: &'a Client, token: Option<&'a Secret>) -> Self {
        Self { client, token }
    }

    /// How every member is.
    pub async fn status(&self) -> Result<ClusterStatus, Error> {
        self.send(Call::get("/cluster/status")).await?.json()
    }

    /// Makes an invitation. `None` leaves its lifetime to the server, which chooses an hour.
    pub async fn invite(&self, expires_in_seconds: Option<u64>) -> Result<Invitation, Error> {
        let body = json!({ "expiresInSeconds": expires_in_seconds });
        self.post("/cluster/invites", &body).await?.json()
    }

    /// Gives a learner a vote.
    pub async fn promote(&self, node_id: u64) -> Result<(), Error> {
        self.about("/cluster/promote", node_id).await
    }

    /// Takes a voter's vote; it goes on as a learner.
    pub async fn demote(&self, node_id: u64) -> Result<(), Error> {
        self.about("/cluster/demote", node_id).await
    }

    /// Lets a member go.
    pub async fn remove(&self, node_id: u64) -> Result<(), Error> {
        self.about("/cluster/remove", node_id).await
    }

    /// Asks the leader to hand over to another voter.
    pub async fn transfer_leader(&self, node_id: u64) -> Result<(), Error> {
        self.about("/cluster/transfer-leader", node_id).await
    }

    /// Asks the node to write a snapshot of the replicated state now.
    pub async fn snapshot(&self) -> Result<(), Error> {
        self.post("/cluster/snapshot", &json!({})).await.map(drop)
    }

    /// The signing keys, and what becomes of each.
    pub async fn keys(&self) -> Result<ClusterKeys, Error> {
        self.send(Call::get("/cluster/keys")).await?.json()
    }

    /// Has signing keys replaced: soon and unnoticed, or, in an emergency, at once and with every token that the former
    /// ones signed.
    pub async fn rotate_keys(&self, wanted: &RotateKeys) -> Result<ClusterKeys, Error> {
        let body = json!({
            "algorithms": (!wanted.algorithms.is_empty()).then_some(&wanted.algorithms),
            "emergency": wanted.emergency,
        });
        self.post("/cluster/rotate-keys", &body).await?.json()
    }

    /// The first piece of a snapshot that the node writes now: it holds everything that was acknowledged before.
    pub async fn first_snapshot_piece(&self) -> Result<SnapshotPiece, Error> {
        self.send(Call::get("/cluster/snapshot")).await?.json()
    }

    /// Another piece of the same snapshot. `CLUSTER_REFUSED` if a later one has taken its place: then begin again.
    pub async fn snapshot_piece(&self, index: u64, offset: u64) -> Result<SnapshotPiece, Error> {
        let which = Query::default().with("index", Some(index)).with("offset", Some(offset));
        self.send(Call::get("/cluster/snapshot").query(which)).await?.json()
    }

    async fn about(&self, path: &'static str, node_id: u64) -> Result<(), Error> {
        self.post(path, &json!({ "nodeId": node_id })).await.map(drop)
    }

    async fn post(&self, path: &'static str, body: &serde_json::Value) -> Result<Response, Error> {
        self.send(Call::new(Method::Post, path).json(body)).await?.success()
    }

    async fn send(&self, call: Call) -> Result<Response, Error> {
        match self.token {
            Some(token) => self.client.send_with_bearer(call, token).await,
            None => self.client.send_in_public(call).await,
        }
    }
}

impl Client {
    /// Looks at the cluster's members and changes them; `token` is the operators'.
    pub fn cluster<'a>(&'a self, token: &'a Secret) -> Cluster<'a> {
        Cluster::of(self, Some(token))
    }

    /// The same for a client that shows an operator's certificate, see
    /// [`ClientBuilder::client_certificate`](crate::ClientBuilder::client_certificate), and needs no token.
    pub fn cluster_by_certificate(&self) -> Cluster<'_> {
        Cluster::of(self, None)
    }

    /// Adds a node to the cluster that the client knows, with an invitation. Harmless if repeated by the same node.
    pub async fn join_cluster(&self, invite: &Secret, joining: &Joining) -> Result<(), Error> {
        let body = json!({
            "invite": invite.expose(),
            "nodeId": joining.node_id,
            "address": joining.address,
            "region": (!joining.region.is_empty()).then_some(&joining.region),
            "voter": joining.voter,
            "knownFormat": joining.known_format,
        });
        let call = Call::new(Method::Post, "/cluster/join").json(&body);
        self.send_in_public(call).await?.success().map(drop)
    }
}
