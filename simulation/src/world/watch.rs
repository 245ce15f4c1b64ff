//! Watches over the nodes while they run: what Raft promises (Ongaro and Ousterhout, 2014, figure 3), as far as it shows
//! in what nodes say of themselves.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use cluster::{ClusterStatus, Role};
use domain::Revision;

use super::World;
use super::elections::Elections;
use super::host::Host;

/// How often it looks, in ticks.
const EVERY: u64 = 10;
/// Of how many of the last entries it remembers what they led to.
const ENTRIES_KEPT: usize = 50_000;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub invariant: &'static str,
    /// When.
    pub at: Duration,
    /// How.
    pub what: String,
}

/// What became of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Its process began.
    Started,
    /// Its process ended.
    Down,
    /// Its process does nothing.
    Paused,
    /// Its part in the cluster, in a term.
    Became(Role, u64),
}

/// What was seen so far.
#[derive(Default)]
pub struct Watch(RefCell<Seen>);

#[derive(Default)]
struct Seen {
    ticks: u64,
    elections: Elections,
    /// What the state was after an entry.
    revisions: BTreeMap<u64, Revision>,
    /// The latest term that a node has ever been seen in: it is written down before it is acted upon.
    terms: BTreeMap<u64, u64>,
    /// Where a node was when it was last looked at, and how often it had been started by then.
    last: BTreeMap<u64, (u64, Role, u64, Option<u64>)>,
    breaches: Vec<Breach>,
    moves: Vec<(Duration, u64, Moved)>,
}

impl Watch {
    /// Looks at every node, from time to time.
    pub(super) fn look(&self, world: &World) {
        {
            let mut seen = self.0.borrow_mut();
            seen.ticks += 1;
            if !seen.ticks.is_multiple_of(EVERY) {
                return;
            }
        }
        world.hosts().for_each(|host| self.look_at(world, host));
    }

    /// Looks at a node: also the moment before it ends, so that nothing that it has said is missed.
    pub(super) fn look_at(&self, world: &World, host: &Host) {
        if let Some(cluster) = world.cluster(host.node_id) {
            self.judge(world, host.starts.get(), &cluster.status());
        }
    }

    fn judge(&self, world: &World, start: u64, status: &ClusterStatus) {
        // What a consensus that has failed says of itself and the state that it leaves behind need not fit any more.
        if status.failure.is_some() {
            return;
        }
        let (node, now) = (status.node_id, world.now());
        let mut seen = self.0.borrow_mut();
        let before = seen
            .last
            .insert(node, (start, status.role, status.term, status.last_applied));
        if before.is_none_or(|(started, role, term, _)| (started, role, term) != (start, status.role, status.term)) {
            world.note(format_args!("node {node} is {:?} in term {}", status.role, status.term));
            seen.moves.push((now, node, Moved::Became(status.role, status.term)));
        }
        let leads = status.role == Role::Leader;
        if let Some(leader) = seen.elections.see(now, node, status.term, leads) {
            let what = format!(
                "node {node} came to lead in term {} although node {leader} led there before",
                status.term
            );
            seen.breach(now, "election_safety", what);
        }
        if let Some((started, _, term, applied)) = before
            && started == start
            && (status.term < term || status.last_applied < applied)
        {
            let what = format!(
                "node {node} went back from term {term}, entry {applied:?} to term {}, entry {:?}",
                status.term, status.last_applied
            );
            seen.breach(now, "never_back", what);
        }
        let latest = seen.terms.insert(node, status.term).unwrap_or_default();
        if status.term < latest {
            let what = format!(
                "node {node} was in term {latest} and started again in term {}",
                status.term
            );
            seen.breach(now, "vote_is_kept", what);
        }
        if let Some(applied) = status.last_applied {
            let revision = *seen.revisions.entry(applied).or_insert(status.revision);
            if revision != status.revision {
                let what = format!(
                    "after entry {applied} node {node} is at revision {}, another was at {}",
                    status.revision.0, revision.0
                );
                seen.breach(now, "state_machine_safety", what);
            }
            if seen.revisions.len() > ENTRIES_KEPT {
                seen.revisions.pop_first();
            }
        }
    }

    /// A node has nothing left of what it had written.
    pub(super) fn wiped(&self, node: u64) {
        self.0.borrow_mut().terms.remove(&node);
    }

    /// Notes what became of a node.
    pub(super) fn moved(&self, at: Duration, node: u64, moved: Moved) {
        let mut seen = self.0.borrow_mut();
        // Its part is told again when it goes on.
        seen.last.remove(&node);
        seen.elections.lose_sight(node);
        seen.moves.push((at, node, moved));
    }

    /// What became of the nodes, in order.
    pub fn moves(&self) -> Vec<(Duration, u64, Moved)> {
        self.0.borrow().moves.clone()
    }

    /// Notes that a promise was broken.
    pub fn breach(&self, at: Duration, invariant: &'static str, what: String) {
        self.0.borrow_mut().breach(at, invariant, what);
    }

    /// What was broken so far.
    pub fn breaches(&self) -> Vec<Breach> {
        self.0.borrow().breaches.clone()
    }
}

impl Seen {
    fn breach(&mut self, at: Duration, invariant: &'static str, what: String) {
        let breach = Breach { invariant, at, what };
        if !self
            .breaches
            .iter()
            .any(|known| known.invariant == breach.invariant && known.what == breach.what)
        {
            self.breaches.push(breach);
        }
    }
}
