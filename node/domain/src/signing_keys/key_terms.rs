//! The promises about keys and tokens.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::entities::Organization;

/// What is promised to whoever verifies tokens: how long they may keep the JWKS, how long any token lives, and how far
/// clocks and views of the nodes may lie apart. Replicated, so that all nodes keep the same promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTerms {
    /// How long verifiers may go on with a key set that they have fetched.
    pub jwks_max_age: Duration,
    /// No token lives longer than this.
    pub token_lifetime_max: Duration,
    /// How far nodes' clocks may differ, and how long one may sign with a key that the others have retired.
    pub clock_skew: Duration,
}

impl KeyTerms {
    /// What holds until the schedule puts the configured terms in force.
    pub const DEFAULT: KeyTerms = KeyTerms {
        jwks_max_age: Duration::from_secs(300),
        token_lifetime_max: Organization::TOKEN_TTL_MAX,
        clock_skew: Duration::from_secs(60),
    };

    /// How long a key must have been published before it signs: by then every verifier has fetched a set that has it.
    pub const fn published_before_use(&self) -> Duration {
        self.jwks_max_age.saturating_add(self.clock_skew)
    }

    /// How long a key stays after it was retired: by then the last token that it signed has expired.
    pub const fn kept_after_use(&self) -> Duration {
        self.token_lifetime_max.saturating_add(self.clock_skew)
    }
}

impl Default for KeyTerms {
    fn default() -> Self {
        Self::DEFAULT
    }
}
