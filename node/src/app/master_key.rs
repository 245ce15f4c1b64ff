//! The master key, which seals everything secret in the replicated state.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cluster::{ClusterError, MasterKey, MasterKeyError, MasterKeys, SealingError};
use domain::Secret;
use domain::ports::Entropy;
use zeroize::Zeroizing;

use super::error::StartError;
use crate::config::{Config, KeysConfig};

/// What to do when there is no master key yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterKeyPolicy {
    /// Make one: for the first start of an installation.
    CreateIfMissing,
    /// Refuse: a node without its key can't open anything.
    Require,
}

/// Finds the master key, or makes one, and those that it follows.
pub fn load(config: &Config, policy: MasterKeyPolicy, entropy: &dyn Entropy) -> Result<MasterKeys, StartError> {
    let path = file(config);
    let text = match &config.keys.master_key {
        Some(secret) => secret.clone(),
        None => match read(&path)? {
            Some(secret) => secret,
            None if policy == MasterKeyPolicy::CreateIfMissing => create(&path, entropy)?,
            None => {
                return Err(fail(
                    &path,
                    "there is none; restore it from where you keep it, or set keys.master_key_file",
                ));
            }
        },
    };
    let mut keys = vec![parse(&place(config), &text)?];
    for path in &config.keys.former_master_key_files {
        let former = former(path)?;
        // One key under two names is one key.
        if keys.iter().all(|key| key.id() != former.id()) {
            keys.push(former);
        }
    }
    MasterKeys::new(keys).map_err(|error| fail(Path::new("in keys.former_master_key_files"), error.to_string()))
}

/// Everything that is wrong with the master keys that there are, found out without making any: each with the key of the
/// configuration that gives it.
pub fn check(config: &Config) -> Vec<(&'static str, StartError)> {
    let text = match &config.keys.master_key {
        Some(secret) => Ok(Some(secret.clone())),
        None => read(&file(config)),
    };
    let current = text.and_then(|text| text.map_or(Ok(()), |text| parse(&place(config), &text).map(drop)));
    let former = config.keys.former_master_key_files.iter();
    let former = former.filter_map(|path| Some(("keys.former_master_key_files", former_error(path)?)));
    current
        .err()
        .map(|error| ("keys.master_key", error))
        .into_iter()
        .chain(former)
        .collect()
}

fn former_error(path: &Path) -> Option<StartError> {
    former(path).err()
}

fn former(path: &Path) -> Result<MasterKey, StartError> {
    let missing = "there is none; it may be left out when nothing is sealed with it any more: agentidp cluster keys";
    let text = read(path)?.ok_or_else(|| fail(path, missing))?;
    parse(path, &text)
}

fn parse(place: &Path, text: &Secret) -> Result<MasterKey, StartError> {
    MasterKey::parse(text.expose().as_bytes()).map_err(|error| fail(place, error.to_string()))
}

/// Why the replicated state can't be used; if its secrets are sealed with another master key, the one that was given is
/// named, since the replicated state does not know where it came from.
pub fn explain(config: &Config, error: ClusterError) -> StartError {
    match error {
        ClusterError::Sealing(error @ SealingError::WrongMasterKey { .. }) => fail(&place(config), error.to_string()),
        other => other.into(),
    }
}

fn file(config: &Config) -> PathBuf {
    KeysConfig::file_in(&config.cluster.data_dir)
}

/// Where the master key was given: the file in the data directory, or the setting that stands in its stead.
fn place(config: &Config) -> PathBuf {
    match config.keys.master_key {
        Some(_) => PathBuf::from("in keys.master_key"),
        None => file(config),
    }
}

fn read(path: &Path) -> Result<Option<Secret>, StartError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(path, error.to_string())),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(fail(
            path,
            format!("others may read it (mode {mode:o}); run: chmod 600 {}", path.display()),
        ));
    }
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => fail(path, MasterKeyError::Form.to_string()),
        _ => fail(path, error.to_string()),
    })?;
    Ok(Some(Secret::new(text.trim())))
}

fn create(path: &Path, entropy: &dyn Entropy) -> Result<Secret, StartError> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    entropy.fill(bytes.as_mut());
    let text: Zeroizing<String> = Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| fail(path, error.to_string()))?;
    Ok(Secret::new(text.as_str()))
}

fn fail(path: &Path, reason: impl Into<String>) -> StartError {
    StartError::MasterKey {
        path: PathBuf::from(path),
        reason: reason.into(),
    }
}
