//! Clusters that are founded again: what they keep, what they forget, and who is not believed any more.

use std::sync::Arc;

use domain::ports::{Clock, Replication as _, RevocationView as _};
use domain::{AgentId, Subject};

use super::*;
use crate::bootstrap::Bootstrap;
use crate::config::ClusterPorts;
use crate::fixtures::{revoke, revoke_token, token_issued_at};
use crate::node::ClusterNode;
use crate::sealing::MasterKey;

const NOW: i64 = 1_800_000_000;

struct Still;
impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW)
    }
    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

struct Sevens;
impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn master_keys(first: u8) -> MasterKeys {
    let mut key = [5; 32];
    key[0] = first;
    MasterKeys::new(vec![MasterKey::from_bytes(&key).unwrap()]).unwrap()
}

fn config(data_dir: &Path, node_id: u64) -> ClusterConfig {
    ClusterConfig {
        snapshot_every: 20,
        entries_kept: 5,
        ..ClusterConfig::new(node_id, data_dir)
    }
}

async fn start(data_dir: &Path, node_id: u64) -> ClusterNode {
    let ports = ClusterPorts::new(Arc::new(Still), Arc::new(Sevens), master_keys(1));
    ClusterNode::start(config(data_dir, node_id), ports).await.unwrap()
}

/// A node that held an installation, 100 revoked tokens and an invitation, and is stopped; the invitation.
async fn stopped(data_dir: &Path) -> (domain::Secret, Revision) {
    let node = start(data_dir, 1).await;
    let handle = node.handle();
    let digest_key = zeroize::Zeroizing::new([9; 32]);
    let bootstrap = Bootstrap {
        keys: Vec::new(),
        digest_key,
        terms: domain::KeyTerms::DEFAULT,
    };
    handle.bootstrap(bootstrap).await.unwrap();
    for number in 0..100 {
        handle.apply(vec![revoke_token(number)]).await.unwrap();
    }
    let invite = handle.invite(std::time::Duration::from_secs(600)).await.unwrap();
    let revision = handle.status().revision;
    node.shutdown().await.unwrap();
    (invite, revision)
}

fn now() -> Timestamp {
    Timestamp::from_seconds(NOW + 60)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_survivor_keeps_what_it_knew_and_counts_on_above_everything_that_was_issued() {
    let folder = tempfile::tempdir().unwrap();
    let (invite, last) = stopped(folder.path()).await;
    let config = config(folder.path(), 1);
    let remains = Remains::of_folder(&config).await.unwrap();
    assert_eq!((remains.revision(), remains.revocations()), (last, 100));
    remains.check(&master_keys(1)).unwrap();
    assert!(remains.check(&master_keys(2)).is_err());
    let id = remains.cluster_id();
    let restored = remains.restore(&config, IssuedTokens::Keep, now(), &Sevens).unwrap();
    assert_eq!(
        (restored.cluster_id, restored.number, restored.revocations),
        (id, 1, 100)
    );
    let kept = restored.kept.clone().unwrap();
    assert!(
        kept.join("log.redb").exists(),
        "the former folder is kept in {}",
        kept.display()
    );

    let node = start(folder.path(), 1).await;
    let handle = node.handle();
    assert_eq!(handle.cluster_id(), Some(id));
    assert!(handle.revision().unwrap() >= restored.first_revision);
    assert_eq!(*handle.digest_key().unwrap(), [9; 32]);
    assert_eq!(
        handle.is_revoked(&token_issued_at(last, 5)),
        Ok(true),
        "revoked stays dead"
    );
    assert_eq!(handle.is_revoked(&token_issued_at(last, 500)), Ok(false));
    // The lost majority may have gone on for long; an agent that is stopped now loses all that it was given there.
    let later = Revision(last.0 + 1_000_000_000);
    assert_eq!(handle.is_revoked(&token_issued_at(later, 500)), Ok(false));
    let agent = Subject::Agent(AgentId(Uuid::from_u128(500)));
    handle.apply(vec![revoke(agent)]).await.unwrap();
    assert_eq!(handle.is_revoked(&token_issued_at(later, 500)), Ok(true));
    // It may have been used after what is left was written.
    let joining = crate::handle::Joining {
        node_id: 2,
        address: "node-2".to_owned(),
        region: String::new(),
        wants_vote: false,
        known_format: Some(NEWEST),
    };
    let refused = handle.join(&invite, joining).await.unwrap_err().to_string();
    assert!(refused.contains("unknown"), "{refused}");
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_the_lost_cluster_can_be_killed_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_, last) = stopped(folder.path()).await;
    let config = config(folder.path(), 1);
    let remains = Remains::of_folder(&config).await.unwrap();
    let restored = remains.restore(&config, IssuedTokens::Revoke, now(), &Sevens).unwrap();
    let node = start(folder.path(), 1).await;
    for issued_at in [Revision(0), last, Revision(restored.first_revision.0 - 1)] {
        assert_eq!(node.handle().is_revoked(&token_issued_at(issued_at, 500)), Ok(true));
    }
    let issued_now = node.handle().revision().unwrap();
    assert_eq!(node.handle().is_revoked(&token_issued_at(issued_now, 500)), Ok(false));
    node.shutdown().await.unwrap();
    // Whoever restores once more, a minute later, kills no more than that, and brings nothing back.
    let again = Remains::of_folder(&config).await.unwrap();
    let later = now().plus(std::time::Duration::from_secs(60));
    let twice = again.restore(&config, IssuedTokens::Keep, later, &Sevens).unwrap();
    assert_eq!(twice.number, 2);
    assert!(twice.first_revision > issued_now);
    let node = start(folder.path(), 1).await;
    assert_eq!(node.handle().is_revoked(&token_issued_at(last, 500)), Ok(true));
    assert_eq!(node.handle().is_revoked(&token_issued_at(issued_now, 500)), Ok(false));
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_in_a_file_is_enough_and_another_node_may_take_it() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, last) = stopped(from.path()).await;
    let node = start(from.path(), 1).await;
    let handle = node.handle();
    let index = handle.snapshot_now().await.unwrap();
    let (mut bytes, mut is_last) = (Vec::new(), false);
    while !is_last {
        let piece = handle.snapshot_piece(index, bytes.len() as u64).await.unwrap();
        is_last = piece.is_last;
        bytes.extend(piece.bytes);
    }
    let other = handle.snapshot_piece(index + 1, 0).await;
    assert!(
        matches!(&other, Err(ClusterError::Refused(reason)) if reason.contains("begin again")),
        "{other:?}"
    );
    node.shutdown().await.unwrap();
    let file = to.path().join("saved.snapshot");
    std::fs::write(&file, &bytes).unwrap();
    let config = config(to.path(), 9);
    let remains = Remains::of_file(&file).unwrap().lock(&config).unwrap();
    assert_eq!(remains.revocations(), 100);
    let restored = remains.restore(&config, IssuedTokens::Keep, now(), &Sevens).unwrap();
    assert_eq!(restored.kept, None);
    let node = start(to.path(), 9).await;
    assert_eq!(node.handle().is_revoked(&token_issued_at(last, 5)), Ok(true));
    node.shutdown().await.unwrap();

    bytes[100] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let damaged = Remains::of_file(&file).map(drop).unwrap_err().to_string();
    assert!(damaged.contains("saved.snapshot"), "{damaged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_restored_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), 1);
    let nothing = Remains::of_folder(&config).await.map(drop).unwrap_err();
    assert!(matches!(nothing, ClusterError::NothingToRestore { .. }), "{nothing}");
    assert!(!folder.path().join("raft").exists());
    stopped(folder.path()).await;
    let remains = Remains::of_folder(&config).await.unwrap();
    let behind = Timestamp::from_seconds(NOW - 3_600);
    let refused = remains
        .restore(&config, IssuedTokens::Keep, behind, &Sevens)
        .unwrap_err();
    assert!(matches!(refused, ClusterError::ClockBehind { .. }), "{refused}");
    let node = start(folder.path(), 1).await;
    let running = Remains::of_folder(&config).await.map(drop).unwrap_err();
    assert!(matches!(running, ClusterError::Locked { .. }), "{running}");
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_interrupted_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path()).await;
    let config = config(folder.path(), 1);
    let remains = Remains::of_folder(&config).await.unwrap();
    remains.restore(&config, IssuedTokens::Keep, now(), &Sevens).unwrap();
    // As it is between the two renames.
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("restored")).unwrap();
    std::fs::rename(at("raft"), at("restored/raft")).unwrap();
    let node = start(folder.path(), 1).await;
    assert_eq!(node.handle().status().revocations, 100);
    assert!(!at("restored").exists());
    node.shutdown().await.unwrap();
}
