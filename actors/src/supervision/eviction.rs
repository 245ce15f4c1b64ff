//! Who leaves when there are too many. Pure.

use std::time::Duration;

/// The keys of the `count` members that were not used for the longest time, given when each was last used.
pub(super) fn longest_unused<K: Copy + Ord>(mut members: Vec<(Duration, K)>, count: usize) -> Vec<K> {
    if count < members.len() {
        members.select_nth_unstable(count);
        members.truncate(count);
    }
    members.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_leave_first_and_never_more_than_there_are() {
        let members = || {
            (0..100u64)
                .map(|key| (Duration::from_secs((key * 37) % 100), key))
                .collect::<Vec<_>>()
        };
        let mut leaving = longest_unused(members(), 3);
        leaving.sort_unstable_by_key(|key| (key * 37) % 100);
        assert_eq!(leaving, [0, 73, 46]);
        assert_eq!(longest_unused(members(), 500).len(), 100);
        assert!(longest_unused(Vec::<(Duration, u64)>::new(), 1).is_empty());
    }
}
