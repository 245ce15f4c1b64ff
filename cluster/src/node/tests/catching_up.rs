//! Members that were away for long, and how large what they need is.

use std::sync::atomic::AtomicU64 as Counter;

use super::*;
use crate::batching::COMMANDS_PER_CALL_MAX;

const LIVE: u128 = 100_000;
/// No request is larger than a piece of a snapshot and a little, or a batch.
const REQUEST_BYTES_MAX: u64 = 1_300_000;

/// Counts what travels.
struct Weighing(Arc<dyn Transport>, Arc<Counter>, Arc<Counter>);

#[async_trait]
impl Transport for Weighing {
    async fn call(&self, peer: &Peer, request: Vec<u8>, deadline: Duration) -> Result<Vec<u8>, TransportError> {
        self.1.fetch_max(request.len() as u64, Relaxed);
        if matches!(codec::decode(&request), Ok(PeerRequest::Snapshot(_))) {
            self.2.fetch_add(1, Relaxed);
        }
        self.0.call(peer, request, deadline).await
    }
}

fn size(folder: &Path, name: &str) -> u64 {
    std::fs::metadata(folder.join("raft").join(name)).unwrap().len()
}

/// A node that was away while as many commands went by as in a week, and is brought up by a snapshot in pieces; the logs
/// of the others are as small as what is kept of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_was_away_gets_a_hundred_thousand_revocations_in_pieces() {
    let mut trio = Trio::found_alone().await;
    trio.start(2, Founding::Join).await;
    let (largest, pieces) = (Arc::new(Counter::new(0)), Arc::new(Counter::new(0)));
    // The founder is the one who sends.
    trio.hub.members.lock().unwrap().remove(&1);
    trio.nodes.remove(&1).unwrap().shutdown().await.unwrap();
    let mut weighed = ports(1, &trio.hub);
    weighed.transport = Arc::new(Weighing(weighed.transport.clone(), largest.clone(), pieces.clone()));
    let folder = trio.folders[0].path().to_owned();
    let config = ClusterConfig {
        address: "node-1".to_owned(),
        entries_kept: 10,
        ..config(1, &folder)
    };
    let founder = ClusterNode::start(config, weighed).await.unwrap();
    trio.hub.members.lock().unwrap().insert(1, founder.handle());
    trio.nodes.insert(1, founder);
    trio.handle(1).add_member(joining(2, "")).await.unwrap();
    trio.all_fresh().await;

    trio.set_cut_off(&[2]);
    let numbers: Vec<u128> = (0..LIVE).collect();
    for chunk in numbers.chunks(COMMANDS_PER_CALL_MAX) {
        let changes = chunk.iter().copied().map(revoke_token).collect();
        trio.handle(1).apply(changes).await.unwrap();
    }
    // The same tokens again and again: history, which is not kept.
    for round in 0..200 {
        let changes = (0..500).map(|number| revoke_token((round + number) % LIVE)).collect();
        trio.handle(1).apply(changes).await.unwrap();
    }
    trio.until(|| (trio.handle(1).status().snapshot >= Some(250)).then_some(()))
        .await;
    let entry = 1_024 * 30;
    let log_is_small = || (size(&folder, "log.redb") < 200 * entry).then_some(());
    // What the snapshot made superfluous goes after it.
    let small = tokio::time::timeout(Duration::from_secs(60), trio.until(log_is_small)).await;
    assert!(small.is_ok(), "{} bytes of log", size(&folder, "log.redb"));
    let snapshot = size(&folder, "snapshots/state.snapshot");
    assert!(snapshot > 2_000_000, "{snapshot}");

    trio.set_cut_off(&[]);
    trio.all_have(&[2], LIVE as usize).await;
    trio.all_fresh().await;
    assert_eq!(trio.handle(2).is_revoked(&token(LIVE - 1)), Ok(true));
    let sent = pieces.load(Relaxed);
    assert!(sent >= snapshot / 1_048_576, "{sent} pieces of {snapshot} bytes");
    assert!(
        largest.load(Relaxed) < REQUEST_BYTES_MAX,
        "{} bytes at once",
        largest.load(Relaxed)
    );
    trio.shutdown().await;
}
