//! Who belongs to the cluster, by this node's log: as of the state, and as of each entry that the state does not have yet.

use std::collections::BTreeMap;

use crate::network::Peer;
use crate::raft_types::StoredMembership;

/// The members, entry by entry.
#[derive(Default)]
pub(crate) struct Roster {
    applied: StoredMembership,
    ahead: BTreeMap<u64, StoredMembership>,
}

impl Roster {
    /// An entry in the log says who belongs from there on.
    pub(crate) fn add(&mut self, index: u64, members: StoredMembership) {
        self.ahead.insert(index, members);
    }

    /// Everything from `index` on was cut off.
    pub(crate) fn truncate(&mut self, index: u64) {
        self.ahead.split_off(&index);
    }

    /// The state has everything up to `index`, and these members.
    pub(crate) fn applied(&mut self, index: u64, members: &StoredMembership) {
        if self.applied.log_id() != members.log_id() {
            self.applied = members.clone();
        }
        while let Some(first) = self.ahead.first_entry().filter(|first| *first.key() <= index) {
            first.remove();
        }
    }

    /// Those as of the entry at `index`; `None` if the state is beyond it, and nobody knows any more.
    pub(crate) fn as_of(&self, index: u64) -> Option<&StoredMembership> {
        let ahead = self.ahead.range(..=index).next_back().map(|(_, members)| members);
        let known = ahead.unwrap_or(&self.applied);
        known
            .log_id()
            .is_some_and(|log_id| log_id.index <= index)
            .then_some(known)
    }

    /// The latest ones beside a node itself, committed or not.
    pub(crate) fn others(&self, me: u64) -> Vec<Peer> {
        let latest = self
            .ahead
            .last_key_value()
            .map_or(&self.applied, |(_, members)| members);
        let others = latest.membership().nodes().filter(|(node_id, _)| **node_id != me);
        others
            .map(|(node_id, member)| Peer {
                node_id: *node_id,
                address: member.address.clone(),
            })
            .collect()
    }

    /// Whether a node belongs to the cluster for good: not only by an entry that may still be cut off.
    pub(crate) fn has_applied(&self, node_id: u64) -> bool {
        self.applied.membership().get_node(&node_id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::log_store::stored::StoredLogId;
    use crate::raft_types::{Member, Membership};

    fn members(index: u64, ids: &[u64]) -> StoredMembership {
        let log_id = StoredLogId {
            term: 1,
            leader: 1,
            index,
        };
        let all: BTreeMap<u64, Member> = ids.iter().map(|id| (*id, Member::default())).collect();
        let voters = BTreeSet::from([1]);
        StoredMembership::new(Some(log_id.into()), Membership::new(vec![voters], all).unwrap())
    }

    fn others(roster: &Roster) -> Vec<u64> {
        roster.others(1).iter().map(|peer| peer.node_id).collect()
    }

    #[test]
    fn members_are_known_as_of_each_entry() {
        let mut roster = Roster::default();
        assert_eq!(roster.as_of(9), None, "nobody has been told");
        roster.applied(3, &members(2, &[1]));
        roster.add(5, members(5, &[1, 2]));
        roster.add(8, members(8, &[1, 2, 3]));
        assert_eq!(roster.as_of(1), None, "the state is beyond it");
        assert_eq!(roster.as_of(4), Some(&members(2, &[1])));
        assert_eq!(roster.as_of(7), Some(&members(5, &[1, 2])));
        assert_eq!(roster.as_of(8), Some(&members(8, &[1, 2, 3])));
        assert_eq!(others(&roster), [2, 3]);
    }

    #[test]
    fn whoever_is_in_an_entry_that_is_cut_off_does_not_belong() {
        let mut roster = Roster::default();
        roster.applied(3, &members(2, &[1]));
        roster.add(5, members(5, &[1, 2]));
        roster.add(8, members(8, &[1, 2, 3]));
        roster.truncate(8);
        assert_eq!(others(&roster), [2]);
        assert!(!roster.has_applied(2), "it may be cut off still");
        roster.applied(6, &members(5, &[1, 2]));
        assert!(roster.has_applied(2) && !roster.has_applied(3));
        assert_eq!((others(&roster), roster.as_of(4)), (vec![2], None));
    }
}
