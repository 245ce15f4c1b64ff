//! What a certificate calls a node.

use std::fmt;

use rustls::pki_types::{DnsName, ServerName};

use crate::error::ClusterError;

/// A node's name in certificates: the DNS name `node-<id>.<cluster name>`. It is compared and never looked up, so it
/// need not be known to any name server; where a node listens may change without a new certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName(DnsName<'static>);

impl NodeName {
    /// The cluster's name unless another one is chosen.
    pub const DEFAULT_CLUSTER: &'static str = "agentidp";

    /// The name of a node. Clusters that share an authority must have different names, or a node of one could speak in
    /// the other as the node with the same number.
    pub fn new(node_id: u64, cluster_name: &str) -> Result<Self, ClusterError> {
        let refused = || ClusterError::ClusterName {
            name: cluster_name.to_owned(),
        };
        // A dot at the end would be another spelling of the same name.
        if cluster_name.is_empty() || cluster_name.ends_with('.') {
            return Err(refused());
        }
        DnsName::try_from(format!("node-{node_id}.{cluster_name}"))
            .map(Self)
            .map_err(|_| refused())
    }

    pub(crate) fn to_server_name(&self) -> ServerName<'static> {
        ServerName::DnsName(self.0.clone())
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_name() {
        let name = NodeName::new(u64::MAX, "eu.example").unwrap();
        assert_eq!(name.to_string(), "node-18446744073709551615.eu.example");
        for cluster in ["", ".", "a.", "a b", "*", "a..b", "ä", &"x".repeat(64)] {
            let refused = NodeName::new(1, cluster);
            assert!(matches!(refused, Err(ClusterError::ClusterName { .. })), "{cluster}");
        }
    }
}
