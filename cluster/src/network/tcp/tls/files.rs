//! The files that a node's certificates are in.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::ClusterError;

/// No certificate chain or key is larger, in bytes; more is not read.
const PEM_BYTES_MAX: u64 = 256 * 1024;

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

pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, ClusterError> {
    let failed = |error| ClusterError::io(path, error);
    // All memory is taken at once: growing would leave copies of a key behind.
    let capacity = usize::try_from(PEM_BYTES_MAX + 1).expect("it is a small number");
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    let file = File::open(path).map_err(failed)?;
    file.take(PEM_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > PEM_BYTES_MAX {
        return Err(ClusterError::tls(path, "it is too large for a certificate or a key"));
    }
    Ok(bytes)
}
