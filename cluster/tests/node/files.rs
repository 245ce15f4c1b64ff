//! A node on another disk than the machine's.

use std::path::Path;
use std::sync::Arc;

use cluster::{ClusterConfig, ClusterError, ClusterNode, ClusterPorts, Execution, Files, OsFiles};
use domain::ports::{Replication as _, RevocationView as _};

use crate::memory::MemoryFiles;
use crate::support::{bootstrap, config, ports, revoke_token, token};

/// It is nowhere on the machine's disk.
const DATA_DIR: &str = "/only/in/memory";

async fn start(files: &Arc<MemoryFiles>, execution: Execution) -> Result<ClusterNode, ClusterError> {
    let config = ClusterConfig {
        execution,
        snapshot_every: 20,
        entries_kept: 5,
        ..config(Path::new(DATA_DIR))
    };
    let ports = ClusterPorts {
        files: files.clone(),
        ..ports()
    };
    ClusterNode::start(config, ports).await
}

#[tokio::test]
async fn what_was_acknowledged_is_on_the_disk_that_the_node_was_given_when_power_is_lost() {
    for execution in [Execution::Threads, Execution::Inline] {
        let mut files = Arc::new(MemoryFiles::default());
        for round in 0..4 {
            let node = start(&files, execution).await.unwrap();
            let handle = node.handle();
            handle.bootstrap(bootstrap()).await.unwrap();
            for number in round * 25..round * 25 + 25 {
                handle.apply(vec![revoke_token(number)]).await.unwrap();
            }
            let lost = Arc::new(files.after_power_loss());
            drop(node);
            files = lost;
        }
        let node = start(&files, execution).await.unwrap();
        let handle = node.handle();
        let now = handle.revision().unwrap();
        for number in 0..100 {
            assert_eq!(
                handle.is_revoked(&token(number, now)),
                Ok(true),
                "{number}, {execution:?}"
            );
        }
        assert_eq!(*handle.digest_key().unwrap(), [9; 32]);
        handle.snapshot_now().await.unwrap();
        let snapshot = Path::new(DATA_DIR).join("raft/snapshots/state.snapshot");
        assert!(files.exists(&snapshot).unwrap());
        let locked = start(&files, execution).await.map(drop).unwrap_err();
        assert!(matches!(locked, ClusterError::Locked { .. }), "{locked}");
        node.shutdown().await.unwrap();
    }
    assert!(!OsFiles.exists(Path::new("/only")).unwrap());
}
