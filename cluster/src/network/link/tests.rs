//! How long the consensus waits for members that are far away, and how what it sends them is numbered.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::codec;
use crate::files::{Files as _, Opening, OsFiles};
use crate::network::Transport;

/// Notes how long each call may take, and answers none.
#[derive(Default)]
struct Patience(Mutex<Vec<Duration>>);

#[async_trait]
impl Transport for Patience {
    async fn call(&self, peer: &Peer, _: Vec<u8>, deadline: Duration) -> Result<Vec<u8>, TransportError> {
        self.0.lock().unwrap().push(deadline);
        Err(TransportError::Interrupted {
            node_id: peer.node_id,
            reason: "this is only a test".to_owned(),
        })
    }
}

async fn link(patience: &Arc<Patience>) -> Link {
    let mut links = Links::new(Peers::new(patience.clone()), 1, 1, Execution::Threads);
    links.new_client(2, &Member::default()).await
}

/// What the library gives for a round trip: a heartbeat, of which three quarters are to be used.
fn a_heartbeat() -> RPCOption {
    RPCOption::new(Duration::from_millis(100))
}

/// Learners 90 ms away once stayed where they were, and stale, for ever.
#[tokio::test]
async fn a_member_that_is_further_away_than_a_heartbeat_is_told_of_entries() {
    let patience = Arc::new(Patience::default());
    let request = AppendEntriesRequest {
        vote: Vote::new(1, 1),
        prev_log_id: None,
        entries: Vec::new(),
        leader_commit: None,
    };
    let answer = link(&patience).await.append_entries(request, a_heartbeat()).await;
    assert!(answer.is_err());
    assert_eq!(*patience.0.lock().unwrap(), [APPEND_LIMIT]);
}

/// A snapshot once had 150 ms to be written and installed.
#[tokio::test]
async fn a_member_has_time_to_install_a_snapshot() {
    let patience = Arc::new(Patience::default());
    let folder = tempfile::tempdir().unwrap();
    let file = OsFiles.open(&folder.path().join("file"), Opening::Emptied).unwrap();
    file.write_at(0, b"a snapshot").unwrap();
    let snapshot = Snapshot {
        meta: Default::default(),
        snapshot: SnapshotFile(file),
    };
    let never = std::future::pending();
    let mut link = link(&patience).await;
    let sent = link
        .full_snapshot(Vote::new(1, 1), snapshot, never, a_heartbeat())
        .await;
    assert!(sent.is_err());
    assert_eq!(*patience.0.lock().unwrap(), [PIECE_LIMIT]);
}

/// Notes the places in their sequences of the entries that go out, and takes them all.
#[derive(Default)]
struct Places(Mutex<Vec<(u64, u64)>>);

#[async_trait]
impl Transport for Places {
    async fn call(&self, _: &Peer, request: Vec<u8>, _: Duration) -> Result<Vec<u8>, TransportError> {
        if let PeerRequest::AppendNext(Sequenced { sequence, number, .. }) = codec::decode(&request).unwrap() {
            self.0.lock().unwrap().push((sequence, number));
        }
        Ok(codec::encode(&PeerAnswer::Append(AppendEntriesResponse::Success)))
    }
}

/// A member that had been started again once waited two seconds for the beginning of a sequence that it had not seen.
#[tokio::test]
async fn a_sequence_begins_wherever_nothing_is_under_way() {
    let places = Arc::new(Places::default());
    let mut links = Links::new(Peers::new(places.clone()), 1, 1, Execution::Threads);
    let mut link = links.new_client(2, &Member::default()).await;
    let heartbeat = || AppendEntriesRequest {
        vote: Vote::new(1, 1),
        prev_log_id: None,
        entries: Vec::new(),
        leader_commit: None,
    };
    let (requests, input) = futures::channel::mpsc::unbounded();
    let mut appended = {
        requests.unbounded_send(heartbeat()).unwrap();
        link.stream_append(input, a_heartbeat()).await.unwrap()
    };
    assert!(matches!(appended.next().await, Some(Ok(Ok(_)))));
    // One at a time, then two at once.
    for count in [1, 1, 2] {
        for _ in 0..count {
            requests.unbounded_send(heartbeat()).unwrap();
        }
        for _ in 0..count {
            assert!(matches!(appended.next().await, Some(Ok(Ok(_)))));
        }
    }
    assert_eq!(*places.0.lock().unwrap(), [(0, 0), (1, 0), (2, 0), (2, 1)]);
}
