//! How many signing keys there are, and how long the current ones have been signing.

use domain::{KeyRecord, KeyRingView, KeyState, Timestamp};

use super::recorder::Meters;

/// The meters of signing keys.
#[derive(Clone)]
pub struct KeyMeters(Meters);

impl KeyMeters {
    /// Over the node's recorder.
    pub fn new(meters: Meters) -> Self {
        Self(meters)
    }

    /// Shows this ring as it is at `now`.
    pub fn show(&self, ring: &KeyRingView, now: Timestamp) {
        for (label, count) in [("current", ring.sealing.current), ("former", ring.sealing.former)] {
            self.set_count("sealed_secrets", ("master_key", label), count);
        }
        self.show_keys(&ring.keys, now);
    }

    fn set_count(&self, name: &'static str, label: (&'static str, &'static str), count: usize) {
        let gauge = self.0.gauge(name, &[label]);
        gauge.set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    fn show_keys(&self, keys: &[KeyRecord], now: Timestamp) {
        for state in KeyState::ALL {
            let count = keys.iter().filter(|key| key.state == state).count();
            self.set_count("signing_keys", ("state", state.as_str()), count);
        }
        for key in keys.iter().filter(|key| key.state == KeyState::Current) {
            let age = now.since(key.current_since.unwrap_or(key.published_at));
            let gauge = self
                .0
                .gauge("signing_key_age_seconds", &[("alg", key.algorithm.as_str())]);
            gauge.set(age.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{KeyId, SigningAlgorithm};

    use super::*;
    use crate::telemetry::MetricsRecorder;

    fn key(algorithm: SigningAlgorithm, state: KeyState, current_since: Option<i64>) -> KeyRecord {
        KeyRecord {
            key_id: KeyId("a key".to_owned()),
            algorithm,
            state,
            published_at: Timestamp::from_seconds(50),
            current_since: current_since.map(Timestamp::from_seconds),
            retired_at: None,
            may_sign_from: Timestamp::EPOCH,
            may_leave_from: None,
        }
    }

    #[test]
    fn a_key_ages_from_its_first_signature() {
        let meters: Meters = Arc::new(MetricsRecorder::new().unwrap());
        let keys = [
            key(SigningAlgorithm::EdDsa, KeyState::Retired, Some(60)),
            key(SigningAlgorithm::EdDsa, KeyState::Current, Some(100)),
            key(SigningAlgorithm::EdDsa, KeyState::Published, None),
            key(SigningAlgorithm::Es256, KeyState::Current, Some(400)),
        ];
        let key_meters = KeyMeters::new(meters.clone());
        key_meters.show_keys(&keys[..2], Timestamp::from_seconds(150));
        key_meters.show_keys(&keys, Timestamp::from_seconds(160));
        let text = meters.render();
        for line in [
            "agentidp_signing_key_age_seconds{alg=\"EdDSA\"} 60",
            // A clock that was set back makes no key younger than new.
            "agentidp_signing_key_age_seconds{alg=\"ES256\"} 0",
            "agentidp_signing_keys{state=\"published\"} 1",
            "agentidp_signing_keys{state=\"current\"} 2",
            "agentidp_signing_keys{state=\"retired\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
