//! What a revocation promises to its caller.

use std::time::Duration;

use cluster::{ClusterConfig, ClusterNode};
use domain::ports::{Replication as _, ReplicationError, RevocationView as _};
use domain::{AgentId, OrganizationId, ReplicatedChange, Revision, Revocation, Subject, Timestamp, TokenId};

use crate::support::{TestClock, config, id, ports, ports_with, revoke, revoke_token, start, token};

#[tokio::test]
async fn suspending_an_agent_kills_what_it_has_and_not_what_it_gets_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    let handle = node.handle();
    let issued_at = handle.revision().unwrap();
    let agent = AgentId(id(5));
    let done_at = handle
        .apply(vec![
            revoke(Subject::Agent(agent)),
            ReplicatedChange::AgentChanged(agent),
        ])
        .await
        .unwrap()
        .revision;
    assert_eq!(handle.is_revoked(&token(5, issued_at)), Ok(true));
    assert_eq!(handle.is_revoked(&token(6, issued_at)), Ok(false));
    assert_eq!(handle.is_revoked(&token(5, done_at)), Ok(false));
    assert!(handle.is_outdated(OrganizationId(id(1)), agent, issued_at));
    assert!(!handle.is_outdated(OrganizationId(id(1)), agent, done_at));
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn nothing_to_change_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    let before = node.handle().status().last_log;
    let applied = node.handle().apply(Vec::new()).await.unwrap();
    assert_eq!(Ok(applied.revision), node.handle().revision());
    assert_eq!(node.handle().status().last_log, before);
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn more_changes_than_one_entry_takes_are_all_applied() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    let before = node.handle().status().revision.0;
    let revision = node
        .handle()
        .apply((0..5_000).map(revoke_token).collect())
        .await
        .unwrap()
        .revision;
    assert_eq!(revision, Revision(before + 5_000));
    assert_eq!(node.handle().status().revocations, 5_000);
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_callers_share_entries_and_each_is_answered_after_its_change() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path()).await.unwrap();
    let (first, before) = (
        node.handle().status().last_log.unwrap(),
        node.handle().status().revision.0,
    );
    let callers: Vec<_> = (0..400)
        .map(|number| {
            let handle = node.handle();
            tokio::spawn(async move {
                let revision = handle.apply(vec![revoke_token(number)]).await.unwrap().revision;
                assert_eq!(
                    handle.is_revoked(&token(number, revision)),
                    Ok(true),
                    "seen as soon as answered"
                );
                revision.0
            })
        })
        .collect();
    let mut revisions = Vec::new();
    for caller in callers {
        revisions.push(caller.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(
        revisions,
        (before + 1..=before + 400).collect::<Vec<u64>>(),
        "every command has a revision of its own"
    );
    let entries = node.handle().status().last_log.unwrap() - first;
    assert!(entries < 400, "{entries} entries for 400 callers");
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_node_that_cannot_prove_its_view_vouches_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    // No second proof comes while this test runs.
    let config = ClusterConfig {
        freshness_interval: Duration::from_secs(3_600),
        max_revocation_staleness: Duration::from_secs(7_200),
        ..config(folder.path())
    };
    let node = ClusterNode::start(config, ports_with(clock.clone())).await.unwrap();
    let handle = node.handle();
    assert!(handle.revision().is_ok());
    clock.advance(Duration::from_secs(7_300));
    assert_eq!(handle.revision(), Err(ReplicationError::Stale));
    assert_eq!(handle.is_revoked(&token(1, Revision(0))), Err(ReplicationError::Stale));
    let status = handle.status();
    assert!(!status.fresh && status.staleness > Duration::from_secs(7_200));
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_has_expired_is_forgotten_and_what_has_not_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let node = ClusterNode::start(config(folder.path()), ports_with(clock.clone()))
        .await
        .unwrap();
    let handle = node.handle();
    let in_seconds = |seconds: i64| Timestamp::from_seconds(1_800_000_000 + seconds);
    let revoke_until = |number, forget_at| {
        ReplicatedChange::Revoke(Revocation {
            subject: Subject::Token(TokenId(id(number))),
            forget_at,
        })
    };
    handle
        .apply(vec![
            revoke_until(1, in_seconds(100)),
            revoke_until(2, in_seconds(100_000)),
        ])
        .await
        .unwrap();
    handle.tick().await.unwrap();
    assert_eq!(handle.status().revocations, 2);
    clock.advance(Duration::from_secs(1_000));
    let revision = handle.tick().await.unwrap();
    // The clock's leap has made the view look old; the next proof comes soon.
    while handle.revision().is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.is_revoked(&token(1, revision)), Ok(false));
    assert_eq!(handle.is_revoked(&token(2, revision)), Ok(true));
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_leader_forgets_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let config = ClusterConfig {
        tick_interval: Duration::from_millis(1),
        ..config(folder.path())
    };
    let node = ClusterNode::start(config, ports()).await.unwrap();
    let handle = node.handle();
    let subject = Subject::Token(TokenId(id(1)));
    let long_over = Revocation {
        subject,
        forget_at: Timestamp::EPOCH,
    };
    handle.apply(vec![ReplicatedChange::Revoke(long_over)]).await.unwrap();
    while handle.status().revocations > 0 {
        tokio::task::yield_now().await;
    }
    let quiet_since = handle.status().last_log;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(
        handle.status().last_log,
        quiet_since,
        "where nothing expires, nothing is written"
    );
    node.shutdown().await.unwrap();
}
