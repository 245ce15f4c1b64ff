//! Signing keys, what is promised to whoever verifies tokens, and the master keys that seal it all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{KeyTerms, Organization, Secret, SigningAlgorithm};

use super::reader::Reader;

/// Section `keys`.
#[derive(Clone)]
pub struct KeysConfig {
    /// What new organizations' tokens are signed with.
    pub algorithm: SigningAlgorithm,
    /// For how long a key signs before another takes its place.
    pub rotation_interval: Duration,
    /// For how long a key is in the JWKS before it signs.
    pub publish_ahead: Duration,
    /// For how long a key stays in the JWKS after its last signature.
    pub retain: Duration,
    /// How long verifiers may keep the JWKS: its `Cache-Control: max-age`.
    pub jwks_max_age: Duration,
    /// No token lives longer than this, whatever its organization allows.
    pub token_ttl_max: Duration,
    /// How far the nodes' clocks may differ.
    pub clock_skew: Duration,
    /// Seals everything secret in the replicated state: 64 hexadecimal digits, as a value or in a file. By default it is
    /// in `master.key` in the data directory.
    pub master_key: Option<Secret>,
    /// Files of master keys that are on their way out: they open what is still sealed with them, and seal nothing.
    pub former_master_key_files: Vec<PathBuf>,
}

/// The file in the data directory that holds the master key unless the configuration says otherwise.
const MASTER_KEY_FILE: &str = "master.key";
const DAY: Duration = Duration::from_secs(86_400);
/// Retired keys of an algorithm that are kept at once, at most; the JWKS would grow without end.
const RETIRED_MAX: u32 = 50;

impl KeysConfig {
    /// The master key's file in a data directory.
    pub fn file_in(data_dir: &Path) -> PathBuf {
        data_dir.join(MASTER_KEY_FILE)
    }

    /// What is promised to whoever verifies tokens.
    pub fn terms(&self) -> KeyTerms {
        KeyTerms {
            jwks_max_age: self.jwks_max_age,
            token_lifetime_max: self.token_ttl_max,
            clock_skew: self.clock_skew,
        }
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let terms = KeyTerms {
            jwks_max_age: reader.value("keys.jwks_max_age", KeyTerms::DEFAULT.jwks_max_age),
            token_lifetime_max: reader.value("keys.token_ttl_max", Organization::TOKEN_TTL_MAX),
            clock_skew: reader.value("keys.clock_skew", KeyTerms::DEFAULT.clock_skew),
        };
        let config = Self {
            algorithm: reader.value("keys.algorithm", SigningAlgorithm::EdDsa),
            rotation_interval: reader.value("keys.rotation_interval", DAY * 90),
            publish_ahead: reader.value("keys.publish_ahead", DAY),
            retain: reader.value("keys.retain", terms.kept_after_use()),
            jwks_max_age: terms.jwks_max_age,
            token_ttl_max: terms.token_lifetime_max,
            clock_skew: terms.clock_skew,
            master_key: reader.secret("keys.master_key"),
            former_master_key_files: reader.value("keys.former_master_key_files", Vec::new()),
        };
        config.check_terms(reader);
        config.check_schedule(reader);
        config
    }

    fn check_terms(&self, reader: &mut Reader) {
        let second = Duration::from_secs(1);
        if self.jwks_max_age < second || self.jwks_max_age > DAY * 30 {
            reader.mistake("keys.jwks_max_age", "must be from 1s to 30d");
        }
        if self.token_ttl_max < second || self.token_ttl_max > Organization::TOKEN_TTL_MAX {
            let reason = "must be from 1s to 24h: revocations are remembered for that long";
            reader.mistake("keys.token_ttl_max", reason);
        }
        if self.clock_skew > DAY {
            reader.mistake(
                "keys.clock_skew",
                "must be at most 1d; see that the nodes' clocks are set",
            );
        }
    }

    /// A schedule that can't keep what is promised is refused here, and would be by the replicated state.
    fn check_schedule(&self, reader: &mut Reader) {
        let terms = self.terms();
        let text = |duration: Duration| humantime::format_duration(duration).to_string();
        if self.publish_ahead < terms.published_before_use() {
            let reason = format!(
                "must be at least {} (keys.jwks_max_age and keys.clock_skew): verifiers may not know a key before",
                text(terms.published_before_use())
            );
            reader.mistake("keys.publish_ahead", reason);
        }
        if self.retain < terms.kept_after_use() {
            let reason = format!(
                "must be at least {} (keys.token_ttl_max and keys.clock_skew): tokens that a key signed live until then",
                text(terms.kept_after_use())
            );
            reader.mistake("keys.retain", reason);
        }
        if self.rotation_interval < self.publish_ahead.saturating_mul(2) {
            let reason = format!(
                "must be at least {}, twice keys.publish_ahead: the next key is published while one signs",
                text(self.publish_ahead.saturating_mul(2))
            );
            reader.mistake("keys.rotation_interval", reason);
        }
        if self.retain > self.rotation_interval.saturating_mul(RETIRED_MAX) {
            let reason =
                format!("must be at least keys.retain / {RETIRED_MAX}, or too many retired keys would be kept");
            reader.mistake("keys.rotation_interval", reason);
        }
    }

    /// A node signs with a key until it learns that it was retired, which may take as long as its view may be old.
    pub(super) fn check_staleness(&self, reader: &mut Reader, max_revocation_staleness: Duration) {
        if self.clock_skew < max_revocation_staleness {
            let reason = "must be at least cluster.max_revocation_staleness: a node may sign for that long with a key that \
                          the others have retired";
            reader.mistake("keys.clock_skew", reason);
        }
    }
}
