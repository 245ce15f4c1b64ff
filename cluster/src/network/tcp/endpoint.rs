//! What a node is on the network, whichever side dials.

use std::sync::Arc;

use super::limits::TcpLimits;
use super::local_node::LocalNode;
use super::security::Security;

/// What a transport and a server have in common.
#[derive(Clone)]
pub struct Endpoint {
    /// Who this node is.
    pub local: Arc<LocalNode>,
    /// How it makes sure who the others are.
    pub security: Security,
    /// What it puts up with.
    pub limits: TcpLimits,
}
