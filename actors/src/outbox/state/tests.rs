//! What stays behind, look by look.

use domain::{Action, AgentId, OrganizationId, OutboxMessage, Timestamp};
use uuid::Uuid;

use super::*;

const GRACE: Duration = Duration::from_secs(10);
const PATIENT: Patience = Patience {
    grace: Some(GRACE),
    remembered_max: 100,
};

fn entry(id: i64, agents: &[u128]) -> OutboxEntry {
    OutboxEntry {
        id: OutboxId(id),
        message: OutboxMessage {
            organization_id: OrganizationId(Uuid::nil()),
            action: Action::AgentUpdated,
            agent_id: None,
            replicate: agents.iter().map(|agent| changed(*agent)).collect(),
            occurred_at: Timestamp::EPOCH,
        },
    }
}

fn entries(ids: &[i64]) -> Vec<OutboxEntry> {
    ids.iter().map(|id| entry(*id, &[])).collect()
}

fn changed(agent: u128) -> ReplicatedChange {
    ReplicatedChange::AgentChanged(AgentId(Uuid::from_u128(agent)))
}

fn second(seconds: u64) -> Range<Duration> {
    Duration::from_secs(seconds)..Duration::from_secs(seconds)
}

/// What stayed behind of what is pending in a second, as one look tells that is over in it.
fn look(looks: &mut Looks, at: u64, pending: &[i64]) -> Vec<i64> {
    let mut look = looks.begin(PATIENT);
    let leftovers = look.on_page(entries(pending), second(at), |_| false);
    *looks = look.end();
    leftovers.ids.iter().map(|id| id.0).collect()
}

#[test]
fn the_relay_is_told_once_for_all_that_finish_before_it_looks() {
    let mut finished = Finished::new(10);
    assert!(finished.on_finished(OutboxId(2)));
    assert!(!finished.on_finished(OutboxId(1)));
    assert_eq!(finished.take(), [OutboxId(1), OutboxId(2)]);
    assert!(finished.on_finished(OutboxId(3)));
    finished.on_wake_lost();
    assert!(finished.on_finished(OutboxId(4)));
}

#[test]
fn beyond_the_bound_entries_are_left_to_the_sweep() {
    let mut finished = Finished::new(2);
    (1..=4).for_each(|id| {
        finished.on_finished(OutboxId(id));
    });
    let taken = finished.take();
    assert_eq!(taken, [OutboxId(1), OutboxId(2)]);
    finished.on_finished(OutboxId(5));
    finished.give_back(taken);
    assert_eq!(finished.take(), [OutboxId(1), OutboxId(5)]);
}

#[test]
fn an_entry_is_left_alone_until_it_was_seen_a_grace_ago() {
    let mut looks = Looks::default();
    assert!(
        look(&mut looks, 100, &[1]).is_empty(),
        "nobody knows how long it was there"
    );
    assert!(look(&mut looks, 109, &[1, 2]).is_empty());
    assert_eq!(look(&mut looks, 110, &[1, 2]), [1]);
    assert!(look(&mut looks, 118, &[2]).is_empty());
    assert_eq!(look(&mut looks, 119, &[2]), [2]);
}

#[test]
fn an_entry_that_its_owner_finished_between_two_looks_is_forgotten() {
    let mut looks = Looks::default();
    look(&mut looks, 100, &[1, 2]);
    look(&mut looks, 101, &[2]);
    assert_eq!(looks.since.keys().collect::<Vec<_>>(), [&OutboxId(2)]);
    look(&mut looks, 102, &[]);
    assert!(looks.since.is_empty());
}

#[test]
fn how_long_the_store_took_to_answer_counts_for_nothing() {
    let slow = |from, until| Duration::from_secs(from)..Duration::from_secs(until);
    let mut looks = Looks::default();
    for (asked, stayed) in [(slow(100, 105), 0), (slow(112, 130), 0), (slow(115, 116), 1)] {
        let mut look = looks.begin(PATIENT);
        let leftovers = look.on_page(entries(&[1]), asked, |_| false);
        assert_eq!(leftovers.ids.len(), stayed);
        looks = look.end();
    }
}

#[test]
fn a_clock_that_was_set_back_or_ahead_makes_no_entry_older_or_younger() {
    let year = 365 * 86_400_000;
    let set = [-year, 0, year].map(|wrong| OutboxEntry {
        message: OutboxMessage {
            occurred_at: Timestamp::from_millis(1_700_000_000_000 + wrong),
            ..entry(0, &[]).message
        },
        ..entry(wrong, &[])
    });
    let mut looks = Looks::default();
    for (at, stayed) in [(0, 0), (9, 0), (10, 3)] {
        let mut look = looks.begin(PATIENT);
        assert_eq!(look.on_page(set.to_vec(), second(at), |_| false).ids.len(), stayed);
        looks = look.end();
    }
}

#[test]
fn where_nobody_could_be_finishing_anything_all_stayed_behind_at_once() {
    let looks = Looks::default();
    let mut look = looks.begin(Patience { grace: None, ..PATIENT });
    let leftovers = look.on_page(entries(&[1, 2]), second(0), |_| false);
    assert_eq!(leftovers.ids, [OutboxId(1), OutboxId(2)]);
}

#[test]
fn a_page_of_young_entries_does_not_hide_what_is_on_the_next_one() {
    let mut looks = Looks::default();
    look(&mut looks, 100, &[9]);
    let mut look = looks.begin(PATIENT);
    let first = look.on_page(entries(&[1, 2, 3]), second(110), |_| false);
    assert!(first.ids.is_empty() && !look.is_full());
    assert_eq!(look.on_page(entries(&[9]), second(110), |_| false).ids, [OutboxId(9)]);
}

#[test]
fn no_more_is_remembered_than_the_bound_and_the_rest_has_its_turn() {
    let patience = Patience {
        remembered_max: 2,
        ..PATIENT
    };
    let mut looks = Looks::default();
    let pending: [(u64, &[i64], &[i64]); 4] = [
        (0, &[1, 2, 3], &[]),
        (10, &[1, 2, 3], &[1, 2]),
        (11, &[3], &[]),
        (21, &[3], &[3]),
    ];
    for (at, ids, stayed) in pending {
        let mut look = looks.begin(patience);
        let leftovers = look.on_page(entries(ids), second(at), |_| false);
        assert_eq!(look.is_full(), at == 0);
        looks = look.end();
        assert!(looks.since.len() <= 2);
        assert_eq!(leftovers.ids.iter().map(|id| id.0).collect::<Vec<_>>(), stayed);
    }
}

#[test]
fn leftovers_keep_their_order_and_leave_out_what_is_finished() {
    let page = vec![entry(1, &[1]), entry(2, &[]), entry(3, &[3, 4])];
    let looks = Looks::default();
    let mut look = looks.begin(Patience { grace: None, ..PATIENT });
    let leftovers = look.on_page(page, second(0), |id| id == OutboxId(1));
    assert_eq!(leftovers.changes, [changed(3), changed(4)]);
    assert_eq!(leftovers.ids, [OutboxId(2), OutboxId(3)]);
}
