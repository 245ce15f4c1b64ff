//! The files that a node's certificates are in.

use std::path::PathBuf;

/// Where a node's certificates are, all PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate of the cluster's authority; several while one replaces another.
    pub ca: PathBuf,
    /// The node's certificate, followed by those between it and the authority, if any.
    pub cert: PathBuf,
    /// The private key of the node's certificate.
    pub key: PathBuf,
}
