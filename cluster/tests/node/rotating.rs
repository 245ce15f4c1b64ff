//! Signing keys and master keys that follow each other, on a node of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::{ClusterHandle, ClusterNode, ClusterPorts, KeyState, MasterKey, MasterKeys};
use domain::ports::{KeyStepError, SigningKeys as _};
use domain::{KeyId, KeyOrder, KeyStep, KeyTerms, Resealing, SealingProgress, SigningAlgorithm, Urgency};

use crate::support::{TestClock, bootstrap, config, ports_with, signing_key};

const TERMS: KeyTerms = KeyTerms {
    jwks_max_age: Duration::from_secs(100),
    token_lifetime_max: Duration::from_secs(1_000),
    clock_skew: Duration::from_secs(10),
};
const ED: SigningAlgorithm = SigningAlgorithm::EdDsa;

fn master(byte: u8) -> MasterKey {
    let mut bytes = [byte; 32];
    bytes[31] = 1;
    MasterKey::from_bytes(&bytes).unwrap()
}

async fn start(folder: &Path, clock: &Arc<TestClock>, masters: &[u8]) -> ClusterNode {
    let keys = masters.iter().map(|byte| master(*byte)).collect();
    let ports = ClusterPorts {
        master_keys: MasterKeys::new(keys).unwrap(),
        ..ports_with(clock.clone())
    };
    ClusterNode::start(config(folder), ports).await.unwrap()
}

/// The epoch in which this node owns the schedule.
async fn epoch(handle: &ClusterHandle) -> u64 {
    let looking = async {
        loop {
            if let Some(ring) = handle.view().filter(|ring| ring.ownership.is_here) {
                return ring.ownership.epoch;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), looking).await;
    found.expect("a node that is alone owns everything before long")
}

async fn founded(folder: &Path, clock: &Arc<TestClock>) -> (ClusterNode, ClusterHandle, u64) {
    let node = start(folder, clock, &[7]).await;
    let handle = node.handle();
    let mut first = bootstrap();
    first.terms = TERMS;
    handle.bootstrap(first).await.unwrap();
    let epoch = epoch(&handle).await;
    (node, handle, epoch)
}

fn states(handle: &ClusterHandle) -> Vec<(String, KeyState, bool)> {
    let keys = handle.signing_keys().unwrap().keys.into_iter();
    keys.map(|key| (key.key_id.0, key.state, matches!(key.pkcs8, Ok(Some(_)))))
        .collect()
}

#[track_caller]
fn expect_refused<T>(result: Result<T, KeyStepError>, why: &str) {
    match result {
        Err(KeyStepError::Refused(reason)) => assert!(reason.contains(why), "{reason}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[tokio::test]
async fn a_key_is_published_signs_retires_and_leaves_in_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let node = start(folder.path(), &clock, &[7]).await;
    let early = KeyStep::Publish(signing_key("next", ED));
    assert!(matches!(
        node.handle().take(0, early).await,
        Err(KeyStepError::Replication(_))
    ));
    node.shutdown().await.unwrap();

    let (node, handle, epoch) = founded(folder.path(), &clock).await;
    let (next, former) = (KeyId("next".to_owned()), KeyId("ed".to_owned()));
    handle
        .take(epoch, KeyStep::Publish(signing_key("next", ED)))
        .await
        .unwrap();
    expect_refused(
        handle.take(epoch, KeyStep::MakeCurrent(next.clone())).await,
        "too early",
    );
    clock.advance(TERMS.published_before_use());
    expect_refused(
        handle.take(epoch - 1, KeyStep::MakeCurrent(next.clone())).await,
        "does not own",
    );
    handle.take(epoch, KeyStep::MakeCurrent(next)).await.unwrap();
    let expected = [
        ("ed".to_owned(), KeyState::Retired, false),
        ("es".to_owned(), KeyState::Current, true),
        ("next".to_owned(), KeyState::Current, true),
    ];
    assert_eq!(states(&handle), expected);
    expect_refused(handle.take(epoch, KeyStep::Remove(former.clone())).await, "too early");
    clock.advance(TERMS.kept_after_use());
    handle.take(epoch, KeyStep::Remove(former)).await.unwrap();
    assert_eq!(states(&handle), expected[1..]);

    let waiting = handle.view().unwrap().unrecorded;
    let deeds: Vec<&str> = waiting.iter().map(|event| event.deed.as_str()).collect();
    assert_eq!(deeds, ["published", "made_current", "removed"]);
    node.shutdown().await.unwrap();
    let node = start(folder.path(), &clock, &[7]).await;
    assert_eq!(
        node.handle().view().unwrap().unrecorded,
        waiting,
        "a restart loses none"
    );
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn operators_have_keys_replaced_soon_or_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (node, handle, _) = founded(folder.path(), &TestClock::new()).await;
    let order = |name: &str, urgency| KeyOrder {
        keys: vec![signing_key(name, ED)],
        urgency,
        ordered_from: Some("192.0.2.1".to_owned()),
    };
    handle.carry_out(order("soon", Urgency::Ahead)).await.unwrap();
    expect_refused(
        handle.carry_out(order("second", Urgency::Ahead)).await,
        "waits for its turn",
    );
    let applied = handle.carry_out(order("now", Urgency::Emergency)).await.unwrap();
    assert_eq!(applied.unconfirmed, []);
    assert_eq!(handle.keys_changed_at(), applied.revision);
    let expected = [
        ("es".to_owned(), KeyState::Current, true),
        ("now".to_owned(), KeyState::Current, true),
    ];
    assert_eq!(states(&handle), expected);
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_master_key_follows_another_across_restarts() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let (node, _, _) = founded(folder.path(), &clock).await;
    node.shutdown().await.unwrap();

    // The new one seals, the former one opens what it has sealed.
    let node = start(folder.path(), &clock, &[8, 7]).await;
    let handle = node.handle();
    let progress = |current, former| SealingProgress { current, former };
    let epoch = epoch(&handle).await;
    assert_eq!(handle.view().unwrap().sealing, progress(0, 3));
    handle
        .take(epoch, KeyStep::Publish(signing_key("next", ED)))
        .await
        .unwrap();
    assert_eq!(
        handle.view().unwrap().sealing,
        progress(0, 4),
        "nothing is sealed with a key that others may not hold yet"
    );
    assert_eq!(handle.reseal(epoch).await, Ok(Resealing::Done(4)));
    assert_eq!(handle.view().unwrap().sealing, progress(4, 0));
    assert_eq!(handle.reseal(epoch).await, Ok(Resealing::Done(0)));
    node.shutdown().await.unwrap();

    // The former one is not needed any more, and is no good.
    let node = start(folder.path(), &clock, &[8]).await;
    node.handle().check_master_keys().unwrap();
    assert_eq!(*node.handle().digest_key().unwrap(), [9; 32]);
    assert!(states(&node.handle()).iter().all(|(_, _, opens)| *opens));
    node.shutdown().await.unwrap();
    let node = start(folder.path(), &clock, &[7]).await;
    let refusal = node.handle().check_master_keys().unwrap_err().to_string();
    assert!(refusal.contains(&master(8).id().to_string()), "{refusal}");
    assert!(refusal.contains("former_master_key_files"), "{refusal}");
    node.shutdown().await.unwrap();
}
