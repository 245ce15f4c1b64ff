//! When credentials were last used, until it is written down in bulk. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{CredentialId, Timestamp};

/// The most credentials whose use is remembered; beyond, new ones are forgotten until the next flush.
const CREDENTIALS_MAX: usize = 100_000;

/// Uses that are not written down yet.
#[derive(Default)]
pub(super) struct UsageLog {
    used: BTreeMap<CredentialId, Timestamp>,
    /// When the first of them came, on the monotonic clock.
    since: Option<Duration>,
}

impl UsageLog {
    /// A credential was used.
    pub fn on_use(&mut self, now: Duration, credential: CredentialId, at: Timestamp) {
        if let Some(used) = self.used.get_mut(&credential) {
            *used = at.max(*used);
        } else if self.used.len() < CREDENTIALS_MAX {
            self.used.insert(credential, at);
            self.since.get_or_insert(now);
        }
    }

    /// What is to be written down now: everything, once the first use has waited for `at_most`.
    pub fn on_tick(&mut self, now: Duration, at_most: Duration) -> Vec<(CredentialId, Timestamp)> {
        match self.since {
            Some(since) if now.saturating_sub(since) >= at_most => self.take(),
            _ => Vec::new(),
        }
    }

    /// Everything that is to be written down.
    pub fn take(&mut self) -> Vec<(CredentialId, Timestamp)> {
        self.since = None;
        std::mem::take(&mut self.used).into_iter().collect()
    }

    /// These could not be written down.
    pub fn give_back(&mut self, now: Duration, used: Vec<(CredentialId, Timestamp)>) {
        for (credential, at) in used {
            self.on_use(now, credential, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn credential(number: usize) -> CredentialId {
        CredentialId(Uuid::from_u128(number as u128))
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn uses_are_written_down_together_with_the_latest_time_of_each() {
        let mut log = UsageLog::default();
        log.on_use(at(0), credential(1), Timestamp::from_seconds(50));
        log.on_use(at(1), credential(2), Timestamp::from_seconds(51));
        log.on_use(at(2), credential(1), Timestamp::from_seconds(49));
        assert_eq!(log.on_tick(at(44), at(45)), []);
        let expected = [
            (credential(1), Timestamp::from_seconds(50)),
            (credential(2), Timestamp::from_seconds(51)),
        ];
        assert_eq!(log.on_tick(at(45), at(45)), expected);
        assert_eq!(log.on_tick(at(1000), at(45)), []);
    }

    #[test]
    fn what_could_not_be_written_waits_with_what_came_meanwhile() {
        let mut log = UsageLog::default();
        log.on_use(at(0), credential(1), Timestamp::from_seconds(50));
        let taken = log.take();
        log.on_use(at(1), credential(1), Timestamp::from_seconds(51));
        log.give_back(at(2), taken);
        assert_eq!(log.take(), [(credential(1), Timestamp::from_seconds(51))]);
    }

    #[test]
    fn the_log_is_bounded() {
        let mut log = UsageLog::default();
        for number in 0..CREDENTIALS_MAX + 5 {
            log.on_use(at(0), credential(number), Timestamp::EPOCH);
        }
        assert_eq!(log.take().len(), CREDENTIALS_MAX);
    }
}
