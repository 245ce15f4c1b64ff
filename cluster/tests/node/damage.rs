//! A node whose files are damaged does not start, says which and what to do, and touches nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cluster::{ClusterConfig, ClusterError, ClusterNode};
use domain::ports::Replication as _;

use crate::support::{bootstrap, config, ports, revoke_token, start};

async fn filled(folder: &Path, config: ClusterConfig) {
    let node = ClusterNode::start(config, ports()).await.unwrap();
    node.handle().bootstrap(bootstrap()).await.unwrap();
    for number in 0..50 {
        node.handle().apply(vec![revoke_token(number)]).await.unwrap();
    }
    node.shutdown().await.unwrap();
    assert!(folder.join("raft").exists());
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for item in std::fs::read_dir(next).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push((path.clone(), std::fs::read(path).unwrap()))
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_damaged_snapshot_is_made_anew_from_a_log_that_has_everything() {
    let folder = tempfile::tempdir().unwrap();
    let often = ClusterConfig {
        snapshot_every: 5,
        entries_kept: 1_000,
        ..config(folder.path())
    };
    filled(folder.path(), often).await;
    let name = folder.path().join("raft/snapshots/state.snapshot");
    let mut damaged = std::fs::read(&name).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&name, &damaged).unwrap();
    let node = start(folder.path()).await.unwrap();
    assert_eq!(node.handle().status().revocations, 50);
    node.shutdown().await.unwrap();
    let aside = folder.path().join("raft/snapshots/state.damaged");
    assert_eq!(std::fs::read(aside).unwrap(), damaged, "it is kept");
}

#[tokio::test]
async fn a_snapshot_that_is_damaged_and_can_not_be_made_anew_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let often = || ClusterConfig {
        snapshot_every: 5,
        entries_kept: 1,
        ..config(folder.path())
    };
    filled(folder.path(), often()).await;
    let name = folder.path().join("raft/snapshots/state.snapshot");
    let whole = std::fs::read(&name).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(&name, &damaged).unwrap();
    let refusal = start(folder.path()).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(&refusal, ClusterError::CorruptLog { path, .. } if *path == name),
        "{refusal}"
    );
    assert_eq!(std::fs::read(&name).unwrap(), damaged, "nothing was changed");
    std::fs::write(&name, whole).unwrap();
    let node = loop {
        match start(folder.path()).await {
            // Who was refused lets go of the log a moment after it was told.
            Err(ClusterError::Locked { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
            started => break started.unwrap(),
        }
    };
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_refused_folder_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), config(folder.path())).await;
    let identity = folder.path().join("raft/IDENTITY");
    std::fs::write(&identity, "x").unwrap();
    let before = files(folder.path());
    let refusal = start(folder.path()).await.map(|_| ()).unwrap_err();
    let sentence = refusal.to_string();
    for part in [
        "damaged",
        "agentidp cluster remove 1",
        "cluster restore --from SNAPSHOT",
        "remove the data directory to start anew",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    assert_eq!(files(folder.path()), before);
}
