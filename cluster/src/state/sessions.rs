//! The last batch of each node and what came of it, so that a batch that is proposed twice is applied once.
//!
//! A node proposes one batch at a time (see [`batching`](crate::batching)), so the last one is all that it may ask for
//! again; an older one that turns up late was given up, and must not be applied after what its node did since.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::command::{BatchId, BatchResults};

/// Nodes whose last batch is remembered. Beyond, the one is forgotten that has been silent for longest.
const NODES_MAX: usize = 256;

/// What is known of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is new.
    Never,
    /// It was applied, with these results.
    Applied(BatchResults),
    /// Its node has proposed another one since.
    Superseded,
}

/// The last batch of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    incarnation: u64,
    number: u64,
    results: BatchResults,
}

impl Session {
    /// The revision that the batch led to; an empty one leads nowhere.
    fn revision(&self) -> u64 {
        self.results.0.last().map_or(0, |result| result.revision.0)
    }
}

/// The last batch of each node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions(OrdMap<u64, Session>);

impl Sessions {
    pub(super) fn look_up(&self, id: BatchId) -> Seen {
        match self.0.get(&id.node_id) {
            Some(last) if last.incarnation == id.incarnation && last.number == id.number => {
                Seen::Applied(last.results.clone())
            }
            Some(last) if last.incarnation == id.incarnation && last.number > id.number => Seen::Superseded,
            _ => Seen::Never,
        }
    }

    pub(super) fn applied(&mut self, id: BatchId, results: BatchResults) {
        if self.0.len() >= NODES_MAX && !self.0.contains_key(&id.node_id) {
            let silent = self.0.iter().min_by_key(|(_, session)| session.revision());
            if let Some(node_id) = silent.map(|(node_id, _)| *node_id) {
                self.0.remove(&node_id);
            }
        }
        let session = Session {
            incarnation: id.incarnation,
            number: id.number,
            results,
        };
        self.0.insert(id.node_id, session);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&u64, &Session)> {
        self.0.iter()
    }

    /// Puts back a session that a snapshot holds; false if there is one of this node already.
    pub(super) fn restore(&mut self, node_id: u64, session: Session) -> bool {
        self.0.insert(node_id, session).is_none()
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
    fn the_last_batch_of_a_node_is_answered_again_and_an_older_one_is_refused() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.look_up(id(1, 7, 1)), Seen::Never);
        sessions.applied(id(1, 7, 1), results(1));
        assert_eq!(sessions.look_up(id(1, 7, 1)), Seen::Applied(results(1)));
        assert_eq!(sessions.look_up(id(2, 7, 1)), Seen::Never, "another node");
        assert_eq!(sessions.look_up(id(1, 7, 2)), Seen::Never);
        sessions.applied(id(1, 7, 2), results(2));
        assert_eq!(sessions.look_up(id(1, 7, 1)), Seen::Superseded);
        assert_eq!(sessions.look_up(id(1, 8, 1)), Seen::Never, "the node has started anew");
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
}
