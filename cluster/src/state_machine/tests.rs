//! Snapshots on disk, and what is believed of them.

use std::io::Cursor;

use domain::{Revocation, Subject, Timestamp, TokenId};
use uuid::Uuid;

use super::snapshot_file::{SnapshotError, read, write};
use super::*;
use crate::codec::NEWEST;
use crate::command::Command;
use crate::error::ClusterError;
use crate::execution::Execution;
use crate::files::{Files as _, Opening, OsFiles};
use crate::log_store::RaftFolder;
use crate::log_store::stored::StoredLogId;
use crate::raft_types::{Member, Membership};

fn state_at(index: u64, revocations: u128) -> StateAt {
    let mut state = State::default();
    for number in 0..revocations {
        let subject = Subject::Token(TokenId(Uuid::from_u128(number)));
        state.apply(&Command::Revoke(Revocation {
            subject,
            forget_at: Timestamp::from_seconds(5),
        }));
    }
    let applied = LogId::from(StoredLogId {
        term: 3,
        leader: 1,
        index,
    });
    let voters = std::collections::BTreeSet::from([1]);
    let member = Member {
        address: "127.0.0.1:1".to_owned(),
        region: "here".to_owned(),
        wants_vote: true,
    };
    let members = std::collections::BTreeMap::from([(1, member)]);
    let membership = Membership::new(vec![voters], members).unwrap();
    StateAt {
        applied: Some(applied),
        membership: StoredMembership::new(Some(applied), membership),
        state,
    }
}

fn folder(data_dir: &tempfile::TempDir) -> RaftFolder {
    RaftFolder::open(Arc::new(OsFiles), data_dir.path(), 1, "test").unwrap()
}

fn open(folder: &RaftFolder) -> Result<(Snapshots, Option<StateAt>), ClusterError> {
    Snapshots::open(folder, NEWEST, Execution::Inline)
}

fn bytes(at: &StateAt) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, at).unwrap();
    bytes
}

#[test]
fn a_snapshot_comes_back_as_it_was() {
    for at in [StateAt::initial(), state_at(7, 0), state_at(9, 10_000)] {
        assert_eq!(read(Cursor::new(bytes(&at)), NEWEST).unwrap(), at);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_snapshot_is_noticed() {
    let whole = bytes(&state_at(7, 3));
    for bit in 0..whole.len() * 8 {
        let mut altered = whole.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(read(Cursor::new(&altered), NEWEST).is_err(), "bit {bit}");
    }
    for length in 0..whole.len() {
        assert!(
            matches!(
                read(Cursor::new(&whole[..length]), NEWEST),
                Err(SnapshotError::Damaged { .. })
            ),
            "{length} bytes"
        );
    }
    let longer = [whole.as_slice(), b"x"].concat();
    assert!(matches!(
        read(Cursor::new(&longer), NEWEST),
        Err(SnapshotError::Damaged { .. })
    ));
}

#[test]
fn parts_of_two_snapshots_cannot_be_mixed() {
    let (first, second) = (bytes(&state_at(7, 3)), bytes(&state_at(8, 5_000)));
    let mut parts = Vec::new();
    let mut rest = second.as_slice();
    while !rest.is_empty() {
        let (_, length) = crate::log_store::frame::read_first(rest).unwrap();
        parts.push(&rest[..length]);
        rest = &rest[length..];
    }
    assert_eq!(parts.len(), 5, "place, head, two parts of revocations, end");
    let swapped = [parts[0], parts[1], parts[3], parts[2], parts[4]].concat();
    assert!(matches!(
        read(Cursor::new(&swapped), NEWEST),
        Err(SnapshotError::Damaged { part: 2, .. })
    ));
    assert!(read(Cursor::new([first.as_slice(), &second].concat()), NEWEST).is_err());
}

#[test]
fn the_folder_keeps_the_latest_snapshot() {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = folder(&data_dir);
    let (snapshots, nothing) = open(&folder).unwrap();
    assert!(nothing.is_none() && snapshots.current().unwrap().is_none());
    snapshots.save(&state_at(7, 3)).unwrap();
    let saved = snapshots.save(&state_at(9, 5)).unwrap();
    assert_eq!(saved.snapshot.read(NEWEST).unwrap(), state_at(9, 5));
    let kept = snapshots.save(&state_at(8, 4)).unwrap();
    assert_eq!(
        kept.meta.last_log_id,
        state_at(9, 5).applied,
        "an older one does not replace a later one"
    );

    std::fs::write(folder.snapshots().join("state.tmp"), "what a crash left behind").unwrap();
    let (reopened, latest) = open(&folder).unwrap();
    assert_eq!(latest, Some(state_at(9, 5)));
    assert_eq!(reopened.current().unwrap().unwrap().meta, saved.meta);
}

#[test]
fn a_damaged_snapshot_is_named_with_the_way_out() {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = folder(&data_dir);
    let (snapshots, _) = open(&folder).unwrap();
    snapshots.save(&state_at(7, 3)).unwrap();
    let name = folder.snapshots().join("state.snapshot");
    let mut content = std::fs::read(&name).unwrap();
    let last = content.len() - 1;
    content[last] ^= 1;
    std::fs::write(&name, content).unwrap();
    let refusal = open(&folder).map(|_| ()).unwrap_err();
    assert!(
        matches!(&refusal, ClusterError::CorruptLog { path, .. } if *path == name),
        "{refusal}"
    );
}

#[test]
fn a_received_snapshot_is_verified_before_it_replaces_anything() {
    let data_dir = tempfile::tempdir().unwrap();
    let (snapshots, _) = open(&folder(&data_dir)).unwrap();
    snapshots.save(&state_at(7, 3)).unwrap();
    let receive = |content: &[u8], wanted| {
        let name = data_dir.path().join("received");
        std::fs::write(&name, content).unwrap();
        let received = SnapshotFile(OsFiles.open(&name, Opening::Existing).unwrap());
        snapshots.install(&received, wanted)
    };
    let later = state_at(20, 30);
    assert!(receive(&bytes(&later)[1..], later.applied).is_err());
    assert!(
        receive(&bytes(&later), state_at(21, 0).applied).is_err(),
        "it must be of the announced place"
    );
    assert_eq!(
        snapshots.current().unwrap().unwrap().meta.last_log_id,
        state_at(7, 3).applied
    );
    assert_eq!(receive(&bytes(&later), later.applied).unwrap(), later);
    assert_eq!(
        snapshots.current().unwrap().unwrap().snapshot.read(NEWEST).unwrap(),
        later
    );
}
