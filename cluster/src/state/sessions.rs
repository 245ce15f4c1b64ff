//! The last batches of each node and what came of them, so that a batch that is proposed twice is applied once.
//!
//! A node has less than [`WINDOW`] batches on their way at a time (see [`batching`](crate::batching)), so the last ones
//! are all that it may ask for again; an older one that turns up late was given up, and must not be applied after what
//! its node did since.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::command::{BatchId, BatchResults};

/// Of how many numbers a node may have batches on their way. It is part of what commands mean: all replicas must have
/// the same.
pub(crate) const WINDOW: u64 = 64;
/// Nodes whose last batches are remembered. Beyond, the one is forgotten that has been silent for longest.
const NODES_MAX: usize = 256;

/// What is known of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is new.
    Never,
    /// It was applied, with these results.
    Applied(BatchResults),
    /// Its node has proposed others since, and does not wait for it any more.
    Superseded,
}

/// A batch of a node, as a snapshot holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    incarnation: u64,
    number: u64,
    results: BatchResults,
}

/// The last batches of a node since it started.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Recent {
    incarnation: u64,
    last: u64,
    batches: OrdMap<u64, BatchResults>,
}

impl Recent {
    fn new(incarnation: u64) -> Self {
        Self {
            incarnation,
            last: 0,
            batches: OrdMap::new(),
        }
    }

    fn add(&mut self, number: u64, results: BatchResults) {
        self.batches.insert(number, results);
        self.last = self.last.max(number);
        while let Some(first) = self.batches.get_min().map(|(first, _)| *first)
            && is_over(first, self.last)
        {
            self.batches.remove(&first);
        }
    }

    /// The latest revision that its batches led to; empty ones lead nowhere.
    fn revision(&self) -> u64 {
        let revisions = self.batches.values().filter_map(|results| results.0.last());
        revisions.map(|result| result.revision.0).max().unwrap_or(0)
    }
}

fn is_over(number: u64, last: u64) -> bool {
    number.saturating_add(WINDOW) <= last
}

/// The last batches of each node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions(OrdMap<u64, Recent>);

impl Sessions {
    pub(super) fn look_up(&self, id: BatchId) -> Seen {
        let Some(recent) = self
            .0
            .get(&id.node_id)
            .filter(|recent| recent.incarnation == id.incarnation)
        else {
            return Seen::Never;
        };
        match recent.batches.get(&id.number) {
            Some(results) => Seen::Applied(results.clone()),
            None if is_over(id.number, recent.last) => Seen::Superseded,
            None => Seen::Never,
        }
    }

    pub(super) fn applied(&mut self, id: BatchId, results: BatchResults) {
        if self.0.len() >= NODES_MAX && !self.0.contains_key(&id.node_id) {
            let silent = self.0.iter().min_by_key(|(_, recent)| recent.revision());
            if let Some(node_id) = silent.map(|(node_id, _)| *node_id) {
                self.0.remove(&node_id);
            }
        }
        let known = self
            .0
            .get(&id.node_id)
            .filter(|recent| recent.incarnation == id.incarnation);
        let mut recent = known.cloned().unwrap_or_else(|| Recent::new(id.incarnation));
        recent.add(id.number, results);
        self.0.insert(id.node_id, recent);
    }

    /// Everything, by node, and of each node the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Session)> + '_ {
        self.0.iter().flat_map(|(node_id, recent)| {
            recent.batches.iter().map(|(number, results)| {
                let session = Session {
                    incarnation: recent.incarnation,
                    number: *number,
                    results: results.clone(),
                };
                (*node_id, session)
            })
        })
    }

    /// Puts back a session that a snapshot holds; false if the snapshot contradicts itself.
    pub(super) fn restore(&mut self, node_id: u64, session: Session) -> bool {
        let Session {
            incarnation,
            number,
            results,
        } = session;
        let mut recent = self
            .0
            .get(&node_id)
            .cloned()
            .unwrap_or_else(|| Recent::new(incarnation));
        let is_consistent =
            recent.incarnation == incarnation && !recent.batches.contains_key(&number) && !is_over(number, recent.last);
        recent.add(number, results);
        self.0.insert(node_id, recent);
        is_consistent
    }
}

#[cfg(test)]
mod tests {
    use domain::Revision;

    use super::*;
    use crate::command::CommandResult;

    fn id(node_id: u64, incarnation: u64, number: u64) -> BatchId {
        BatchId {
            node_id,
            incarnation,
            number,
        }
    }

    fn results(revision: u64) -> BatchResults {
        let result = CommandResult {
            revision: Revision(revision),
            refusal: None,
        };
        BatchResults::from_iter([result])
    }

    #[test]
    fn the_last_batches_of_a_node_are_answered_again_in_any_order() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.look_up(id(1, 7, 1)), Seen::Never);
        sessions.applied(id(1, 7, 3), results(1));
        assert_eq!(sessions.look_up(id(1, 7, 3)), Seen::Applied(results(1)));
        assert_eq!(sessions.look_up(id(2, 7, 3)), Seen::Never, "another node");
        assert_eq!(sessions.look_up(id(1, 7, 2)), Seen::Never, "overtaken on its way");
        sessions.applied(id(1, 7, 2), results(2));
        assert_eq!(sessions.look_up(id(1, 7, 2)), Seen::Applied(results(2)));
        assert_eq!(sessions.look_up(id(1, 7, 3)), Seen::Applied(results(1)));
        assert_eq!(sessions.look_up(id(1, 8, 2)), Seen::Never, "the node has started anew");
        sessions.applied(id(1, 8, 1), results(3));
        assert_eq!(sessions.look_up(id(1, 7, 3)), Seen::Never);
    }

    #[test]
    fn a_batch_that_its_node_waits_for_no_longer_is_refused() {
        let mut sessions = Sessions::default();
        sessions.applied(id(1, 7, 1), results(1));
        sessions.applied(id(1, 7, WINDOW), results(2));
        assert_eq!(sessions.look_up(id(1, 7, 1)), Seen::Applied(results(1)));
        sessions.applied(id(1, 7, WINDOW + 2), results(3));
        assert_eq!(sessions.look_up(id(1, 7, 1)), Seen::Superseded);
        assert_eq!(
            sessions.look_up(id(1, 7, 2)),
            Seen::Superseded,
            "never seen, and too late now"
        );
        assert_eq!(sessions.look_up(id(1, 7, 3)), Seen::Never);
        assert_eq!(sessions.0.get(&1).unwrap().batches.len(), 2);
    }

    #[test]
    fn what_is_remembered_of_a_node_is_bounded() {
        let mut sessions = Sessions::default();
        for number in 1..1_000 {
            sessions.applied(id(1, 7, number), results(number));
        }
        assert_eq!(sessions.0.get(&1).unwrap().batches.len() as u64, WINDOW);
    }

    #[test]
    fn the_node_that_has_been_silent_for_longest_is_forgotten() {
        let mut sessions = Sessions::default();
        for node in 0..NODES_MAX as u64 {
            sessions.applied(id(node, 1, 1), results(node + 10));
        }
        sessions.applied(id(0, 1, 2), results(9_000));
        sessions.applied(id(9_999, 1, 1), results(9_001));
        assert_eq!(sessions.0.len(), NODES_MAX);
        assert_eq!(sessions.look_up(id(1, 1, 1)), Seen::Never, "forgotten");
        assert_eq!(sessions.look_up(id(0, 1, 2)), Seen::Applied(results(9_000)));
    }

    #[test]
    fn sessions_come_back_from_a_snapshot_and_contradictions_are_noticed() {
        let mut sessions = Sessions::default();
        for (node, number) in [(1, 1), (1, 2), (2, 9), (1, WINDOW + 1)] {
            sessions.applied(id(node, 5, number), results(number));
        }
        let mut restored = Sessions::default();
        assert!(
            sessions
                .iter()
                .all(|(node_id, session)| restored.restore(node_id, session))
        );
        assert_eq!(restored, sessions);
        let (node_id, twice) = sessions.iter().next().unwrap();
        assert!(!restored.restore(node_id, twice));
    }
}
