//! How many signing keys there are, and how long the current ones have been signing.

use cluster::{KeyState, OpenedKey};
use domain::Timestamp;

use super::recorder::Meters;

/// Every state and its label.
const STATES: [(KeyState, &str); 3] = [
    (KeyState::Published, "published"),
    (KeyState::Current, "current"),
    (KeyState::Retired, "retired"),
];

/// The meters of signing keys.
#[derive(Clone)]
pub struct KeyMeters(Meters);

impl KeyMeters {
    /// Over the node's recorder.
    pub fn new(meters: Meters) -> Self {
        Self(meters)
    }

    /// Shows these keys as they are at `now`.
    pub fn show(&self, keys: &[OpenedKey], now: Timestamp) {
        for (state, label) in STATES {
            let count = keys.iter().filter(|key| key.state == state).count();
            let gauge = self.0.gauge("signing_keys", &[("state", label)]);
            gauge.set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
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

    fn key(algorithm: SigningAlgorithm, state: KeyState, current_since: Option<i64>) -> OpenedKey {
        OpenedKey {
            key_id: KeyId("a key".to_owned()),
            algorithm,
            state,
            public_jwk: String::new(),
            pkcs8: None,
            published_at: Timestamp::from_seconds(50),
            current_since: current_since.map(Timestamp::from_seconds),
            retired_at: None,
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
        key_meters.show(&keys[..2], Timestamp::from_seconds(150));
        key_meters.show(&keys, Timestamp::from_seconds(160));
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
