//! Who has led in which term, and whether the votes were worth anything.
//!
//! The consensus library orders leaders by their term and, within a term, by their number. Whoever has voted for one may
//! still vote for one of a higher number in the same term, but for none of a lower number: of two majorities somebody is in
//! both, so whoever begins to stand for election when one of a higher number leads already can't win. A node that stood
//! before may still learn afterwards that it has won: an answer was late, and it leads nobody any more.

use std::collections::BTreeMap;
use std::time::Duration;

/// What was seen of elections.
#[derive(Default)]
pub(super) struct Elections {
    /// The latest look at each node, its term then, and when it was last seen in an earlier one.
    nodes: BTreeMap<u64, Sight>,
    /// By term, since when which nodes were seen to lead.
    leaders: BTreeMap<u64, BTreeMap<u64, Duration>>,
}

struct Sight {
    at: Duration,
    term: u64,
    earlier_at: Option<Duration>,
}

impl Elections {
    /// A node is seen in a term, where it may lead. Answers whom it can't have won against.
    pub(super) fn see(&mut self, at: Duration, node: u64, term: u64, leads: bool) -> Option<u64> {
        let earlier_at = match self.nodes.get(&node) {
            Some(before) if before.term == term => before.earlier_at,
            Some(before) => Some(before.at),
            None => None,
        };
        self.nodes.insert(node, Sight { at, term, earlier_at });
        if !leads {
            return None;
        }
        let leaders = self.leaders.entry(term).or_default();
        if leaders.contains_key(&node) {
            return None;
        }
        let higher = leaders.range(node..);
        let mut before = higher.filter(|(_, since)| earlier_at.is_some_and(|earlier_at| **since <= earlier_at));
        let before = before.next().map(|(other, _)| *other);
        leaders.insert(node, at);
        before
    }

    /// What a node did from now on until it is seen again is not known.
    pub(super) fn lose_sight(&mut self, node: u64) {
        self.nodes.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: u64 = 7;

    /// Looks, ten milliseconds apart: node, term, whether it leads. Answers what the last one was told.
    fn told(looks: &[(u64, u64, bool)]) -> Option<u64> {
        let mut elections = Elections::default();
        let looks = looks.iter().zip(1..);
        let told = looks.map(|((node, term, leads), number)| {
            elections.see(Duration::from_millis(10 * number), *node, *term, *leads)
        });
        told.last().expect("there are some")
    }

    #[test]
    fn one_of_a_higher_number_may_lead_in_the_same_term_and_so_may_anybody_in_the_next() {
        let follows = (2, TERM - 1, false);
        assert_eq!(
            told(&[follows, (1, TERM, true), (2, TERM, false), (2, TERM, true)]),
            None
        );
        let next = TERM + 1;
        assert_eq!(told(&[(3, TERM, true), (1, TERM, false), (1, next, true)]), None);
    }

    #[test]
    fn one_of_a_lower_number_that_stands_when_another_leads_can_not_win() {
        let follows = (1, TERM - 1, false);
        assert_eq!(
            told(&[(3, TERM, true), follows, (1, TERM, false), (1, TERM, true)]),
            Some(3)
        );
        assert_eq!(told(&[(3, TERM, true), follows, (1, TERM, true)]), Some(3));
    }

    #[test]
    fn one_of_a_lower_number_that_stood_before_may_learn_late_that_it_has_won() {
        let follows = (1, TERM - 1, false);
        assert_eq!(
            told(&[follows, (1, TERM, false), (3, TERM, true), (1, TERM, true)]),
            None
        );
    }

    #[test]
    fn whoever_has_led_may_say_so_again_and_who_was_out_of_sight_may_have_stood_before() {
        let mut elections = Elections::default();
        let mut at = Duration::ZERO;
        let mut see = |elections: &mut Elections, node, term, leads| {
            at += Duration::from_millis(10);
            elections.see(at, node, term, leads)
        };
        assert_eq!(see(&mut elections, 1, TERM, true), None);
        assert_eq!(see(&mut elections, 3, TERM, true), None);
        assert_eq!(see(&mut elections, 2, TERM - 1, false), None);
        elections.lose_sight(1);
        elections.lose_sight(2);
        assert_eq!(see(&mut elections, 1, TERM, true), None);
        assert_eq!(see(&mut elections, 2, TERM, true), None);
    }
}
