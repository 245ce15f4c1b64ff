//! Watches that a majority that can work together does: while most of the voters run and hear each other, some of them
//! can prove that their view of revocations is recent, whatever befalls the others.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::Role;

use super::World;
use super::host::Host;
use super::network::Place;
use crate::conduct::Conduct;

/// How often it looks, in ticks.
const EVERY: u64 = 100;
/// How long they may take: until they notice whom they have lost, hold an election or two, and prove their view.
const LIMIT: Duration = Duration::from_secs(8);
/// How long one node must have led with a recent view after members have come or gone: a change of the voters that was left
/// half done, which the former voters can hold up, is finished by then.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
/// Who is farther away than this can't be expected to hold elections in time.
const NEAR: Duration = Duration::from_millis(60);

/// What was seen so far.
#[derive(Default)]
pub(super) struct MajorityWatch(RefCell<Seen>);

#[derive(Default)]
struct Seen {
    ticks: u64,
    /// Whether members may have come or gone since one node led for long enough.
    is_unsettled: bool,
    /// Who leads with a recent view, in which term, and since when.
    leading: Option<((u64, u64), Duration)>,
    /// Since when each set of nodes can work together.
    able_since: BTreeMap<BTreeSet<u64>, Duration>,
}

impl MajorityWatch {
    /// Looks, from time to time.
    pub(super) fn look(&self, world: &World) {
        let mut seen = self.0.borrow_mut();
        seen.ticks += 1;
        if !seen.ticks.is_multiple_of(EVERY) {
            return;
        }
        let now = world.now();
        seen.note_leader(now, leader(world));
        seen.is_unsettled |= world.operated().is_some();
        let able = if seen.is_unsettled {
            BTreeSet::new()
        } else {
            majorities(world)
        };
        seen.able_since.retain(|set, _| able.contains(set));
        for set in able {
            let since = *seen.able_since.entry(set.clone()).or_insert(now);
            if now - since >= LIMIT && !set.iter().any(|node| is_fresh(world, *node)) {
                let what = format!("nodes {set:?} hear each other since {since:?}, and none can prove its view");
                world.watch.breach(now, "majority_serves", what);
            }
        }
    }
}

impl Seen {
    fn note_leader(&mut self, now: Duration, leader: Option<(u64, u64)>) {
        self.leading = leader.map(|leader| match self.leading {
            Some((known, since)) if known == leader => (leader, since),
            _ => (leader, now),
        });
        if self.leading.is_some_and(|(_, since)| now - since >= SETTLED_AFTER) {
            self.is_unsettled = false;
        }
    }
}

/// Who leads with a recent view, and in which term.
fn leader(world: &World) -> Option<(u64, u64)> {
    let status = |host: &Host| world.cluster(host.node_id).map(|cluster| cluster.status());
    let leading = world.hosts().filter_map(status);
    let mut leading = leading.filter(|status| status.role == Role::Leader && status.fresh && status.failure.is_none());
    leading.next().map(|status| (status.node_id, status.term))
}

/// The smallest sets of nodes that could decide for all, and hear each other. None while members come and go.
fn majorities(world: &World) -> BTreeSet<BTreeSet<u64>> {
    let goes_on = |node: u64| {
        let status = world.cluster(node).map(|cluster| cluster.status());
        status.is_some_and(|status| status.failure.is_none())
    };
    let able: Vec<u64> = world
        .hosts()
        .map(|host| host.node_id)
        .filter(|node| goes_on(*node))
        .collect();
    let all = world.hosts().count();
    let all_vote = |node: &u64| {
        let members = world.cluster(*node).map(|cluster| cluster.members());
        members.is_some_and(|members| members.iter().filter(|member| member.is_voter).count() == all)
    };
    if !able.iter().all(all_vote) {
        return BTreeSet::new();
    }
    let hear = |one: u64, other: u64| {
        let is_good = |from, to| is_good(&world.network.conduct((Place::Node(from), Place::Node(to))));
        is_good(one, other) && is_good(other, one)
    };
    let mut sets = BTreeSet::from([BTreeSet::new()]);
    for _ in 0..=all / 2 {
        let larger = sets.iter().flat_map(|set: &BTreeSet<u64>| {
            let next = able.iter().filter(|node| set.last().is_none_or(|last| *node > last));
            let next = next.filter(|node| set.iter().all(|known| hear(*known, **node)));
            next.map(|node| set.iter().copied().chain([*node]).collect())
        });
        sets = larger.collect();
    }
    sets
}

fn is_good(conduct: &Conduct) -> bool {
    !conduct.is_cut && conduct.loss_per_mille == 0 && conduct.delay + conduct.jitter <= NEAR
}

fn is_fresh(world: &World, node: u64) -> bool {
    world.cluster(node).is_some_and(|cluster| cluster.status().fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_settled_when_one_node_has_led_for_a_while() {
        let second = Duration::from_secs(1);
        let mut seen = Seen {
            is_unsettled: true,
            ..Seen::default()
        };
        for (at, leader) in [
            (0, Some((1, 1))),
            (4, Some((1, 1))),
            (5, Some((2, 2))),
            (6, None),
            (7, Some((2, 2))),
        ] {
            seen.note_leader(second * at, leader);
            assert!(seen.is_unsettled, "{at}");
        }
        seen.note_leader(second * 12, Some((2, 2)));
        assert!(!seen.is_unsettled);
    }
}
