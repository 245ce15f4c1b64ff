//! Which node owns a thing that only one may act upon, such as the key-rotation schedule. Pure.
//!
//! The leader has it replicated which members things are placed on: those that it has heard of lately. Among these the
//! rendezvous hash of the thing's name picks the owner, so that every node knows it without asking, and a member that goes
//! moves only what it owned. Every change of that list counts an **epoch** up, and a command that acts for a thing names
//! the epoch in which its node was the owner: one of a former owner, who may not know yet that it is one, is refused when it
//! is applied (`one_owner`). So a partition needs no agreement on who is alive: whoever is cut off can't have commands
//! applied, whoever is not is told by the log. A leader that errs costs a change of owner and nothing else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::command::Refusal;

/// A member that the leader has not heard of for so long owns nothing any more.
pub(crate) const ABSENT_AFTER: Duration = Duration::from_secs(5);
/// A member that was heard of within this time may own things.
pub(crate) const PRESENT_WITHIN: Duration = Duration::from_secs(2);
/// Members that things are placed on at most.
const MEMBERS_MAX: usize = 1_024;

/// The members that things are placed on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placement {
    epoch: u64,
    members: Vec<u64>,
}

/// A member of the cluster, as the leader knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) node_id: u64,
    /// How long ago it was last heard of; absent if this leader never has.
    pub(crate) heard_ago: Option<Duration>,
}

impl Placement {
    /// Counts up with every change.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The members, by their numbers.
    pub(crate) fn members(&self) -> &[u64] {
        &self.members
    }

    /// Who owns the thing of this name.
    pub(crate) fn owner(&self, name: &str) -> Option<u64> {
        owner(name, &self.members)
    }

    /// Refuses whoever is not the thing's owner in the epoch that is in force.
    pub(crate) fn require_owner(&self, name: &str, node_id: u64, epoch: u64) -> Result<(), Refusal> {
        if epoch == self.epoch && self.owner(name) == Some(node_id) {
            Ok(())
        } else {
            Err(Refusal::FormerOwner)
        }
    }

    /// Things are placed on other members, if nobody has moved them since `expected`.
    pub(crate) fn move_to(&mut self, members: &[u64], expected: u64) -> Result<(), Refusal> {
        if members == self.members {
            return Ok(());
        }
        let in_order = members.windows(2).all(|pair| pair[0] < pair[1]);
        if expected != self.epoch || members.is_empty() || members.len() > MEMBERS_MAX || !in_order {
            return Err(Refusal::PlacementMoved);
        }
        self.members = members.to_vec();
        self.epoch += 1;
        Ok(())
    }

    /// The members that things should be placed on. Whoever was not heard of stays for a while, also under a new leader, who
    /// has heard of nobody yet; whoever is heard of again comes back.
    pub(crate) fn should_be(&self, sightings: &[Sighting], leading_for: Duration) -> Vec<u64> {
        let belongs = |sighting: &&Sighting| {
            let is_placed = self.members.contains(&sighting.node_id);
            let silent_for = sighting.heard_ago.unwrap_or(Duration::MAX).min(leading_for);
            let is_present = sighting.heard_ago.is_some_and(|ago| ago < PRESENT_WITHIN);
            is_present || is_placed && silent_for < ABSENT_AFTER
        };
        let mut members: Vec<u64> = sightings.iter().filter(belongs).map(|seen| seen.node_id).collect();
        members.sort_unstable();
        members.truncate(MEMBERS_MAX);
        members
    }
}

/// The member with the highest rendezvous hash.
fn owner(name: &str, members: &[u64]) -> Option<u64> {
    members
        .iter()
        .copied()
        .max_by_key(|node_id| (weight(name, *node_id), *node_id))
}

/// FNV-1a over the name and the number, stirred so that every bit of the input moves every bit of the result. **It must
/// never change**: two versions in one cluster must agree on owners.
fn weight(name: &str, node_id: u64) -> u64 {
    let bytes = name.bytes().chain(node_id.to_le_bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn names() -> impl Iterator<Item = String> {
        (0..3_000).map(|number| format!("webhook subscription {number}"))
    }

    fn placed_on(members: &[u64]) -> Placement {
        let mut placement = Placement::default();
        placement.move_to(members, 0).unwrap();
        placement
    }

    fn seen(node_id: u64, heard_ago: Option<u64>) -> Sighting {
        Sighting {
            node_id,
            heard_ago: heard_ago.map(Duration::from_millis),
        }
    }

    #[test]
    fn owners_are_the_same_in_every_version() {
        let owners: Vec<Option<u64>> = ["key-rotation", "a", "b", "c", ""]
            .map(|name| owner(name, &[1, 2, 3, 4, 5]))
            .to_vec();
        assert_eq!(owners, [Some(5), Some(2), Some(1), Some(5), Some(3)]);
        assert_eq!(owner("anything", &[]), None);
    }

    #[test]
    fn every_member_owns_its_share() {
        let members = [1, 2, 3, 4, 5];
        let mut shares: BTreeMap<u64, usize> = BTreeMap::new();
        names().for_each(|name| *shares.entry(owner(&name, &members).unwrap()).or_default() += 1);
        assert_eq!(shares.len(), 5);
        assert!(shares.values().all(|share| (480..720).contains(share)), "{shares:?}");
    }

    proptest! {
        #[test]
        fn a_member_that_goes_moves_only_what_it_owned(
            members in proptest::collection::btree_set(1..40_u64, 2..9),
            gone in 0..8_usize,
        ) {
            let members: Vec<u64> = members.into_iter().collect();
            let gone = members[gone % members.len()];
            let left: Vec<u64> = members.iter().copied().filter(|node_id| *node_id != gone).collect();
            for name in names().take(200) {
                let before = owner(&name, &members);
                if before != Some(gone) {
                    prop_assert_eq!(owner(&name, &left), before);
                }
            }
        }

        #[test]
        fn the_order_of_members_does_not_matter(members in proptest::collection::vec(1..40_u64, 1..9)) {
            let reversed: Vec<u64> = members.iter().rev().copied().collect();
            prop_assert_eq!(owner("a thing", &members), owner("a thing", &reversed));
        }
    }

    #[test]
    fn a_former_owner_is_refused_even_if_it_is_owner_again() {
        let mut placement = placed_on(&[1, 2, 3]);
        let owner = placement.owner("a thing").unwrap();
        let others: Vec<u64> = (1..=3).filter(|node_id| *node_id != owner).collect();
        assert_eq!(placement.require_owner("a thing", owner, 1), Ok(()));
        assert_eq!(
            placement.require_owner("a thing", others[0], 1),
            Err(Refusal::FormerOwner)
        );
        placement.move_to(&others, 1).unwrap();
        assert_eq!(placement.require_owner("a thing", owner, 1), Err(Refusal::FormerOwner));
        placement.move_to(&[1, 2, 3], 2).unwrap();
        assert_eq!(placement.require_owner("a thing", owner, 1), Err(Refusal::FormerOwner));
        assert_eq!(placement.require_owner("a thing", owner, 3), Ok(()));
    }

    #[test]
    fn a_move_that_another_has_overtaken_is_refused_and_a_repeated_one_changes_nothing() {
        let mut placement = placed_on(&[1, 2]);
        assert_eq!(placement.move_to(&[1, 2], 0), Ok(()));
        assert_eq!(placement.epoch(), 1);
        for (members, expected) in [(&[1_u64, 3][..], 0), (&[][..], 1), (&[3, 1][..], 1), (&[1, 1][..], 1)] {
            assert_eq!(
                placement.move_to(members, expected),
                Err(Refusal::PlacementMoved),
                "{members:?}"
            );
        }
        let too_many: Vec<u64> = (0..=MEMBERS_MAX as u64).collect();
        assert_eq!(placement.move_to(&too_many, 1), Err(Refusal::PlacementMoved));
    }

    #[test]
    fn who_is_silent_goes_after_a_while_and_comes_back_when_heard() {
        let placement = placed_on(&[1, 2, 3]);
        let long = Duration::from_secs(600);
        let all = |third: Option<u64>| [seen(1, Some(0)), seen(2, Some(100)), seen(3, third)];
        assert_eq!(placement.should_be(&all(Some(4_999)), long), [1, 2, 3]);
        assert_eq!(placement.should_be(&all(Some(5_000)), long), [1, 2]);
        assert_eq!(placement.should_be(&all(None), long), [1, 2]);
        let new_leader = Duration::from_millis(4_999);
        assert_eq!(placement.should_be(&all(None), new_leader), [1, 2, 3]);
        let without = placed_on(&[1, 2]);
        assert_eq!(without.should_be(&all(Some(1_999)), long), [1, 2, 3]);
        assert_eq!(without.should_be(&all(Some(2_000)), long), [1, 2]);
        assert_eq!(
            without.should_be(&all(None), new_leader),
            [1, 2],
            "it was never heard of"
        );
        assert_eq!(
            placement.should_be(&[seen(1, Some(0))], long),
            [1],
            "who is no member owns nothing"
        );
    }
}
