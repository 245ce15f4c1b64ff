//! Starting, stopping, and who may have a folder.

use std::time::Duration;

use cluster::{ClusterConfig, ClusterError, ClusterNode, Execution, Role};
use domain::ports::{Replication as _, ReplicationError, RevocationView as _};

use crate::support::{config, ports, revoke_token, start, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_leads_a_cluster_of_one_and_keeps_its_state_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3u128 {
        let node = start(folder.path()).await.unwrap();
        let handle = node.handle();
        let status = handle.status();
        assert_eq!(
            (status.role, status.leader, status.fresh),
            (Role::Leader, Some(1), true)
        );
        assert_eq!(
            status.term,
            u64::try_from(round).unwrap() + 1,
            "each start is a term of its own"
        );
        for earlier in 0..round {
            assert_eq!(handle.is_revoked(&token(earlier, handle.revision().unwrap())), Ok(true));
        }
        let revision = handle.apply(vec![revoke_token(round)]).await.unwrap().revision;
        assert_eq!(handle.revision(), Ok(revision));
        assert_eq!(handle.is_revoked(&token(round, revision)), Ok(true));
        assert_eq!(handle.is_revoked(&token(1_000, revision)), Ok(false));
        assert_eq!(handle.status().revocations, usize::try_from(round).unwrap() + 1);
        node.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn everything_works_inline_on_one_thread() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let inline = ClusterConfig {
            execution: Execution::Inline,
            snapshot_every: 5,
            ..config(folder.path())
        };
        let node = ClusterNode::start(inline, ports()).await.unwrap();
        for number in 0..20 {
            node.handle().apply(vec![revoke_token(number)]).await.unwrap();
        }
        assert_eq!(node.handle().status().revocations, 20);
        node.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_process_and_another_node_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    let refusal = start(folder.path()).await.map(|_| ()).unwrap_err();
    assert!(matches!(refusal, ClusterError::Locked { .. }), "{refusal}");
    assert!(refusal.to_string().contains("in use by another process"), "{refusal}");
    node.shutdown().await.unwrap();

    let other = ClusterConfig {
        node_id: 2,
        ..config(folder.path())
    };
    let refusal = ClusterNode::start(other, ports()).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(
            refusal,
            ClusterError::ForeignFolder {
                found: 1,
                expected: 2,
                ..
            }
        ),
        "{refusal}"
    );
    start(folder.path()).await.unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn a_handle_outlives_its_node_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    let handle = node.handle();
    node.shutdown().await.unwrap();
    assert!(matches!(
        handle.apply(vec![revoke_token(1)]).await,
        Err(ReplicationError::Closed(_))
    ));
    assert_eq!(handle.status().role, Role::Stopped);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = ClusterConfig {
        heartbeat: Duration::ZERO,
        ..config(folder.path())
    };
    let refusal = ClusterNode::start(wrong, ports()).await.map(|_| ()).unwrap_err();
    assert!(matches!(refusal, ClusterError::Config(_)), "{refusal}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let refusal = start(&file).await.map(|_| ()).unwrap_err();
    assert!(refusal.to_string().contains(file.to_str().unwrap()), "{refusal}");
}
