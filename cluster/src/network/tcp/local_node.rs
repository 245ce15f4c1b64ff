//! What this node says of itself.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use uuid::Uuid;

use super::hello::{Hello, VERSIONS, Versions};

/// Who this node is, for the hello of its connections.
pub struct LocalNode {
    node_id: u64,
    software: String,
    versions: Versions,
    cluster_id: ArcSwapOption<Uuid>,
}

impl LocalNode {
    /// A node that does not know its cluster yet; `software` is its version, for people.
    pub fn new(node_id: u64, software: impl Into<String>) -> Self {
        Self {
            node_id,
            software: software.into(),
            versions: VERSIONS,
            cluster_id: ArcSwapOption::empty(),
        }
    }

    /// Tells which cluster the node belongs to. From now on, new connections with nodes of another cluster are refused;
    /// before, it talks with any that it has a certificate for.
    pub fn set_cluster_id(&self, cluster_id: Uuid) {
        self.cluster_id.store(Some(Arc::new(cluster_id)));
    }

    pub(super) fn hello(&self) -> Hello {
        Hello {
            versions: self.versions,
            node_id: self.node_id,
            cluster_id: self.cluster_id.load().as_deref().copied(),
            software: self.software.clone(),
        }
    }

    #[cfg(test)]
    pub(super) fn speaking(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }
}
