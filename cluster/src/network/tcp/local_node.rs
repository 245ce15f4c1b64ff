//! What this node says of itself, and what it requires of those that it meets.

use std::sync::Arc;

use tokio::sync::{Notify, SetOnce};
use uuid::Uuid;

use super::hello::{Hello, VERSIONS, Versions};
use super::standing::Standing;
use crate::handle::ClusterHandle;

/// The running node behind the greetings.
pub(crate) trait Says: Send + Sync {
    /// Which cluster it belongs to, once it knows.
    fn cluster_id(&self) -> Option<Uuid>;
    /// How it stands.
    fn standing(&self) -> Standing;
    /// Whether another node must have a log: one that has lost it must not come back as if nothing had happened.
    fn must_have_log(&self, node_id: u64) -> bool;
    /// It must not go on.
    fn halt(&self, reason: &str);
}

/// Who this node is, for the hello of its connections.
pub struct LocalNode {
    node_id: u64,
    software: String,
    versions: Versions,
    says: SetOnce<Arc<dyn Says>>,
    /// Rings when another node has said hello.
    heard: Notify,
}

impl LocalNode {
    /// A node that knows nothing of its cluster yet; `software` is its version, for people.
    pub fn new(node_id: u64, software: impl Into<String>) -> Self {
        Self {
            node_id,
            software: software.into(),
            versions: VERSIONS,
            says: SetOnce::new(),
            heard: Notify::new(),
        }
    }

    /// From now on it speaks for this running node: nodes of other clusters are refused on new connections, and whoever
    /// can't be believed.
    pub fn speak_for(&self, node: &ClusterHandle) {
        self.say(node.greeted());
    }

    pub(crate) fn say(&self, says: Arc<dyn Says>) {
        assert!(self.says.set(says).is_ok(), "a node speaks for itself alone");
    }

    /// Waits until there is somebody to speak for. Before, this node could neither say how it stands nor judge how others do.
    pub(super) async fn speaks(&self) {
        self.says.wait().await;
    }

    /// Another node has said hello to this one.
    pub(super) fn has_heard(&self) {
        self.heard.notify_waiters();
    }

    /// Waits until another node says hello.
    pub(super) async fn hears(&self) {
        self.heard.notified().await;
    }

    pub(super) fn hello(&self) -> Hello {
        let says = self.says.get();
        Hello {
            versions: self.versions,
            node_id: self.node_id,
            cluster_id: says.and_then(|says| says.cluster_id()),
            software: self.software.clone(),
            standing: says.map_or_else(Standing::default, |says| says.standing()),
        }
    }

    /// Looks at what another node says of itself; if this node is the one that can't go on, it stops.
    pub(super) fn meet(&self, own: &Hello, peer: &Hello) -> Result<u16, String> {
        let agreed = own.agree(peer);
        let Some(says) = self.says.get() else {
            return agreed;
        };
        if let Err(reason) = &agreed
            && own.cluster_id.is_some()
            && own.cluster_id == peer.cluster_id
            && peer.outlives(own)
        {
            says.halt(reason);
        }
        if agreed.is_ok() && peer.standing.is_empty && says.must_have_log(peer.node_id) {
            return Err(format!(
                "node {0} is a member, but its data directory holds no log: what it had confirmed is lost. At another node: \
                 agentidp cluster remove {0}; then invite it, and let it join again with the empty directory",
                peer.node_id
            ));
        }
        agreed
    }

    /// Greets another node as over a new connection, and is greeted by it: for transports that have no connections. A reason
    /// if the two would not keep it.
    pub fn greet(&self, other: &Self) -> Result<(), String> {
        let (own, its) = (self.hello(), other.hello());
        let (here, there) = (self.meet(&own, &its), other.meet(&its, &own));
        here.and(there).map(drop)
    }

    /// This node, speaking for one that knows nothing of its cluster and requires nothing, unless it speaks for another.
    #[cfg(test)]
    pub(super) fn or_for_nobody(self) -> Self {
        let _ = self.says.set(Arc::new(Nobody));
        self
    }

    #[cfg(test)]
    pub(super) fn speaking(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }
}

#[cfg(test)]
struct Nobody;

#[cfg(test)]
impl Says for Nobody {
    fn cluster_id(&self) -> Option<Uuid> {
        None
    }

    fn standing(&self) -> Standing {
        Standing::default()
    }

    fn must_have_log(&self, _: u64) -> bool {
        false
    }

    fn halt(&self, _: &str) {}
}
