//! What is refused before it is applied, and for how long.

use domain::{AgentId, CredentialId, OrganizationId, TokenFamily};
use openraft::entry::RaftEntry as _;
use uuid::Uuid;

use super::*;
use crate::command::Batch;
use crate::fixtures::{revoke, revoke_token, token};
use crate::log_store::stored::StoredLogId;

fn entry(term: u64, index: u64, commands: Vec<Command>) -> Entry {
    let log_id = StoredLogId { term, leader: 1, index };
    Entry::new(log_id.into(), EntryPayload::Normal(Batch::numbered(index, commands)))
}

fn kill(number: u128) -> Command {
    revoke_token(number).into()
}

fn vote(term: u64) -> Vote {
    Vote::new_committed(term, 1)
}

fn id(number: u64) -> BatchId {
    Batch::numbered(number, Vec::new()).id
}

#[test]
fn a_token_is_refused_from_when_its_revocation_is_in_the_log_until_the_state_has_it() {
    let held = Held::default();
    assert!(!held.denies(&token(1)));
    held.add([&entry(1, 5, vec![kill(1), kill(2)])], Some(&vote(1)));
    assert!(held.denies(&token(1)) && held.denies(&token(2)) && !held.denies(&token(3)));
    held.applied(4, &StoredMembership::default());
    assert!(held.denies(&token(1)));
    held.applied(5, &StoredMembership::default());
    assert!(!held.denies(&token(1)), "the state refuses it now");
    assert!(held.tail().entries.is_empty() && held.tail().denials.is_empty());
}

#[test]
fn families_are_refused_and_what_depends_on_a_revision_is_left_to_the_state() {
    let held = Held::default();
    let id = Uuid::from_u128(1);
    let criteria = [
        Subject::Agent(AgentId(id)),
        Subject::Credential(CredentialId(id)),
        Subject::Organization(OrganizationId(id)),
    ];
    held.add(
        [&entry(1, 5, criteria.map(revoke).map(Command::from).to_vec())],
        Some(&vote(1)),
    );
    assert!(!held.denies(&token(1)));
    let family = revoke(Subject::Family(TokenFamily(id)));
    held.add([&entry(1, 6, vec![family.into()])], Some(&vote(1)));
    assert!(held.denies(&token(1)));
    let all = Ahead {
        commands: 4,
        revocations: 4,
    };
    assert_eq!(held.ahead(6), all);
}

#[test]
fn what_another_leader_cuts_off_is_refused_no_longer_unless_another_entry_says_so_too() {
    let held = Held::default();
    let (first, second) = (entry(1, 5, vec![kill(1)]), entry(1, 6, vec![kill(1), kill(2)]));
    held.add([&first, &second], Some(&vote(1)));
    held.durable(6);
    held.truncate(6);
    assert!(held.denies(&token(1)), "the entry before is still there");
    assert!(!held.denies(&token(2)));
    assert_eq!(held.find(id(6)), None);
    held.truncate(5);
    assert!(!held.denies(&token(1)));
    held.add([&entry(2, 5, vec![kill(3)])], Some(&vote(2)));
    assert!(held.denies(&token(3)) && held.find(id(5)).is_none(), "not durable yet");
}

#[test]
fn an_entry_counts_if_it_came_from_the_leader_that_this_node_had_voted_for_last() {
    let held = Held::default();
    held.add([&entry(1, 5, vec![kill(1)])], Some(&vote(1)));
    held.add([&entry(1, 6, vec![kill(2)])], Some(&vote(2)));
    assert_eq!(held.find(id(5)), None, "it may still be lost");
    held.durable(6);
    let counts = |number| held.find(id(number)).map(|holding| holding.counts);
    assert_eq!(counts(5), Some(true));
    assert_eq!(counts(6), Some(false), "a later leader's copy");
    assert_eq!(counts(7), None);
    held.applied(6, &StoredMembership::default());
    assert_eq!(counts(5), None);
}

#[test]
fn after_a_restart_it_is_refused_and_counts_no_more() {
    let held = Held::default();
    held.reload(&entry(1, 5, vec![kill(1)]));
    assert!(held.denies(&token(1)));
    let holding = Holding {
        index: 5,
        counts: false,
    };
    assert_eq!(held.find(id(5)), Some(holding));
}

#[test]
fn beyond_the_limit_an_entry_is_not_held_and_room_comes_back() {
    let held = Held::with_limit(3);
    held.add([&entry(1, 5, vec![kill(1), kill(2)])], Some(&vote(1)));
    held.add([&entry(1, 6, vec![kill(3), kill(4)])], Some(&vote(1)));
    held.add([&entry(1, 7, vec![kill(5)])], Some(&vote(1)));
    held.durable(7);
    assert_eq!(held.find(id(6)), None, "nobody is told that it is refused here");
    assert!(!held.denies(&token(3)) && held.denies(&token(5)));
    assert_eq!(held.ahead(7).revocations, 5, "the state will have them all");
    held.applied(6, &StoredMembership::default());
    held.add([&entry(1, 8, vec![kill(6), kill(7)])], Some(&vote(1)));
    held.durable(8);
    assert!(held.find(id(8)).is_some());
}

#[test]
fn what_moves_is_told() {
    let held = Held::default();
    let mut moved = held.moved();
    moved.mark_unchanged();
    held.add([&entry(1, 5, vec![kill(1)])], Some(&vote(1)));
    assert!(!moved.has_changed().unwrap());
    held.durable(5);
    assert!(moved.has_changed().unwrap());
    moved.mark_unchanged();
    held.applied(5, &StoredMembership::default());
    assert!(moved.has_changed().unwrap());
}
