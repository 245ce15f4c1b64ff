//! The bytes of each request and answer. **These must never change within a version of the wire**: a member that was
//! not yet replaced, and that runs another version of the consensus library, must understand them.

use openraft::entry::RaftEntry as _;

use super::*;
use crate::codec;
use crate::command::{Command, CommandResult};
use crate::log_store::stored::StoredLogId;
use crate::raft_types::{LogId, Member, StoredMembership};
use crate::status::Role;
use domain::Revision;

fn log_id(index: u64) -> LogId {
    LogId::from(StoredLogId {
        term: 5,
        leader: 6,
        index,
    })
}

fn entries() -> Vec<Entry> {
    let member = Member {
        address: "a:1".to_owned(),
        region: "eu".to_owned(),
        wants_vote: true,
    };
    let voters = std::collections::BTreeSet::from([1]);
    let members = std::collections::BTreeMap::from([(1, member)]);
    let membership = openraft::Membership::new(vec![voters], members).unwrap();
    let tick = Command::Tick {
        now: domain::Timestamp::EPOCH,
    };
    vec![
        Entry::new(log_id(7), EntryPayload::Blank),
        Entry::new(log_id(8), EntryPayload::Normal(Batch::numbered(3, vec![tick]))),
        Entry::new(log_id(9), EntryPayload::Membership(membership)),
    ]
}

fn requests() -> Vec<PeerRequest> {
    let vote = Vote::new_committed(5, 6);
    let asked = || VoteRequest {
        vote: Vote::new(5, 6),
        last_log_id: Some(log_id(9)),
        leadership_transfer: false,
    };
    let append = AppendEntriesRequest {
        vote,
        prev_log_id: Some(log_id(6)),
        entries: entries(),
        leader_commit: Some(log_id(4)),
    };
    let meta = SnapshotMeta {
        last_log_id: Some(log_id(9)),
        last_membership: StoredMembership::default(),
    };
    let sequenced = Sequenced {
        node_id: 1,
        incarnation: 2,
        sequence: 3,
        number: 4,
        rpc: append.clone(),
    };
    let piece = SnapshotPiece {
        vote,
        meta,
        offset: 1,
        bytes: vec![2, 3],
        is_last: true,
    };
    vec![
        PeerRequest::Append(append),
        PeerRequest::Vote(asked()),
        PeerRequest::PreVote(asked()),
        PeerRequest::TransferLeader(TransferLeaderRequest::new(vote, 2, Some(log_id(9)))),
        PeerRequest::Snapshot(piece),
        PeerRequest::Propose(Batch::numbered(3, Vec::new())),
        PeerRequest::ReadIndex,
        PeerRequest::AwaitBatch {
            batch: Batch::numbered(3, Vec::new()).id,
            wanted: Wanted::Applied,
            limit_ms: 8,
        },
        PeerRequest::ChangeMembers(MemberChange::Promote(2)),
        PeerRequest::Report,
        PeerRequest::MasterKeys,
        PeerRequest::Drain,
        PeerRequest::AppendNext(sequenced),
        PeerRequest::Formats,
        PeerRequest::IsMember(3),
    ]
}

fn answers() -> Vec<PeerAnswer> {
    let report = MemberReport {
        role: Role::Learner,
        term: 1,
        last_applied: Some(2),
        staleness_ms: 3,
        fresh: true,
        revision: 4,
        revocations: 5,
        version: "v".to_owned(),
        uptime_seconds: 6,
    };
    let result = CommandResult {
        revision: Revision(7),
        refusal: None,
    };
    let formats = FormatReport {
        known: 3,
        agreed_max: 3,
        in_force: 2,
    };
    vec![
        PeerAnswer::Append(AppendEntriesResponse::Conflict),
        PeerAnswer::Vote(VoteResponse::new(Vote::new(5, 6), Some(log_id(9)), true)),
        PeerAnswer::TransferLeader(Ok(())),
        PeerAnswer::PieceTaken,
        PeerAnswer::Snapshot(SnapshotResponse::new(Vote::new(5, 6))),
        PeerAnswer::Failed("no".to_owned()),
        PeerAnswer::Proposed(BatchResults::from_iter([result])),
        PeerAnswer::NotLeader,
        PeerAnswer::ReadIndex(9),
        PeerAnswer::Reached(None),
        PeerAnswer::Reached(Some(Progress::Held { index: 9, counts: true })),
        PeerAnswer::Reached(Some(Progress::Applied)),
        PeerAnswer::MembersChanged,
        PeerAnswer::Report(report),
        PeerAnswer::Busy,
        PeerAnswer::MasterKeys(vec![]),
        PeerAnswer::Drained,
        PeerAnswer::Formats(formats),
        PeerAnswer::IsMember(true),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bytes_of_every_message_stay_as_they_are() {
    let requests = requests();
    let requests = requests
        .iter()
        .map(|request| hex(&codec::encode_as(request.format(), request)));
    let answers = answers();
    let answers = answers.iter().map(|answer| hex(&codec::encode(answer)));
    let written: Vec<String> = requests.chain(answers).collect();
    let expected: Vec<&str> = include_str!("golden.txt").lines().collect();
    assert_eq!(written, expected, "written now:\n{}\n", written.join("\n"));
}

#[test]
fn a_message_is_of_the_format_of_the_commands_in_it() {
    let later = Command::RaiseFormat {
        to: 9,
        software: String::new(),
    };
    let batch = Batch::numbered(1, vec![later]);
    let entry = Entry::new(log_id(10), EntryPayload::Normal(batch.clone()));
    let append = |entries| {
        PeerRequest::Append(AppendEntriesRequest {
            vote: Vote::new(1, 1),
            prev_log_id: None,
            entries,
            leader_commit: None,
        })
    };
    assert_eq!(append(entries()).format(), OLDEST);
    let with_later = append([entries(), vec![entry.clone()]].concat());
    assert_eq!(with_later.format(), 9);
    assert_eq!(PeerRequest::Propose(batch).format(), 9);
    assert!(PeerRequest::are_entries(&codec::encode_as(9, &with_later)));
    let next = PeerRequest::AppendNext(Sequenced {
        node_id: 1,
        incarnation: 2,
        sequence: 3,
        number: 4,
        rpc: AppendEntriesRequest {
            vote: Vote::new(1, 1),
            prev_log_id: None,
            entries: vec![entry],
            leader_commit: None,
        },
    });
    assert_eq!(next.format(), 9);
    assert!(PeerRequest::are_entries(&codec::encode_as(9, &next)));
    assert!(!PeerRequest::are_entries(&codec::encode(&PeerRequest::Formats)));
    assert!(!PeerRequest::are_entries(&[9]));
}

#[test]
fn every_request_has_its_name() {
    let named: std::collections::BTreeSet<&str> = requests()
        .iter()
        .map(|request| request_name(&codec::encode(request)))
        .collect();
    assert_eq!(named, PeerRequest::NAMES.into_iter().collect());
    let vote = requests()
        .into_iter()
        .find(|request| matches!(request, PeerRequest::PreVote(_)));
    assert_eq!(vote.map(|vote| request_name(&codec::encode(&vote))), Some("pre-vote"));
    assert_eq!(request_name(&[1, 200]), "?");
    assert_eq!(request_name(b""), "?");
}
