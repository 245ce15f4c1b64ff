//! Which tokens have been introspected by whom, so that the audit log is told once. Bounded: what is forgotten is told again.

use domain::AgentId;
use quick_cache::sync::Cache;

use crate::http::verifier::TokenDigest;

/// How many pairs are remembered, at some 100 bytes each.
const SEEN_MAX: usize = 65_536;

/// Pairs of a token and a caller.
pub struct SeenTokens(Cache<(TokenDigest, AgentId), ()>);

impl SeenTokens {
    /// Remembers nothing yet.
    pub fn new() -> Self {
        Self(Cache::new(SEEN_MAX))
    }

    /// Whether the caller has looked at the token before.
    pub fn contains(&self, token: &TokenDigest, caller: AgentId) -> bool {
        self.0.get(&(*token, caller)).is_some()
    }

    /// The caller has looked at the token.
    pub fn insert(&self, token: TokenDigest, caller: AgentId) {
        self.0.insert((token, caller), ());
    }
}

impl Default for SeenTokens {
    fn default() -> Self {
        Self::new()
    }
}
