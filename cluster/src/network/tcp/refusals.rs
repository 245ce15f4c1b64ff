//! Which failures of whom were told already: each is worth a line in the log once, not at every attempt.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::lock::lock;

/// How many parties are remembered. What more of them do is not told until some are forgotten.
const PARTIES_MAX: usize = 64;
/// A party that has not failed for this long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(600);

/// The latest failure of each party.
#[derive(Default)]
pub(super) struct Refusals(Mutex<BTreeMap<String, (String, Instant)>>);

impl Refusals {
    /// Notes a failure; true if it is to be told.
    pub(super) fn is_news(&self, who: &str, reason: &str, now: Instant) -> bool {
        let mut known = lock(&self.0);
        if let Some((last, seen_at)) = known.get_mut(who) {
            *seen_at = now;
            if last == reason {
                return false;
            }
            reason.clone_into(last);
            return true;
        }
        if known.len() >= PARTIES_MAX {
            known.retain(|_, (_, seen_at)| now.duration_since(*seen_at) < FORGET_AFTER);
        }
        let has_room = known.len() < PARTIES_MAX;
        if has_room {
            known.insert(who.to_owned(), (reason.to_owned(), now));
        }
        has_room
    }

    /// Forgets a party's failure: it has succeeded, and the next failure is news again.
    pub(super) fn forget(&self, who: &str) {
        lock(&self.0).remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_changes_are_news_and_the_number_of_parties_is_bounded() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        assert!(refusals.is_news("a", "expired", now));
        assert!(!refusals.is_news("a", "expired", now));
        assert!(refusals.is_news("a", "stranger", now));
        assert!(refusals.is_news("b", "stranger", now));
        refusals.forget("a");
        assert!(refusals.is_news("a", "stranger", now));
        for number in 0..PARTIES_MAX - 2 {
            assert!(refusals.is_news(&number.to_string(), "x", now));
        }
        assert!(!refusals.is_news("one too many", "x", now));
        assert!(refusals.is_news("one too many", "x", now + FORGET_AFTER));
    }
}
