//! Signing keys, and the master key that seals them.

use std::path::{Path, PathBuf};

use domain::{Secret, SigningAlgorithm};

use super::reader::Reader;

/// Section `keys`.
#[derive(Clone)]
pub struct KeysConfig {
    /// What new organizations' tokens are signed with.
    pub algorithm: SigningAlgorithm,
    /// Seals everything secret in the replicated state: 64 hexadecimal digits, as a value or in a file. By default it is
    /// in `master.key` in the data directory.
    pub master_key: Option<Secret>,
}

/// The file in the data directory that holds the master key unless the configuration says otherwise.
const MASTER_KEY_FILE: &str = "master.key";

impl KeysConfig {
    /// The master key's file in a data directory.
    pub fn file_in(data_dir: &Path) -> PathBuf {
        data_dir.join(MASTER_KEY_FILE)
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            algorithm: reader.value("keys.algorithm", SigningAlgorithm::EdDsa),
            master_key: reader.secret("keys.master_key"),
        }
    }
}
