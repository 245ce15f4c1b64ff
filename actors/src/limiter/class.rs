//! What is limited apart from what.

use crate::settings::LimiterSettings;

/// A class of requests with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitClass {
    /// The management API.
    Requests,
    /// The token endpoint.
    Token,
    /// Introspection.
    Introspect,
    /// Verification of the audit chain.
    Verify,
}

impl LimitClass {
    /// Every class.
    pub const ALL: [LimitClass; 4] = [Self::Requests, Self::Token, Self::Introspect, Self::Verify];
    pub(super) const COUNT: usize = Self::ALL.len();

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Token => "token",
            Self::Introspect => "introspect",
            Self::Verify => "verify",
        }
    }

    /// The permits of one window; 0 is no limit.
    pub(super) fn limit(self, settings: &LimiterSettings) -> u32 {
        let limit = match self {
            Self::Requests => settings.requests_per_minute,
            Self::Token => settings.token_requests_per_minute,
            Self::Introspect => settings.introspect_per_minute,
            Self::Verify => settings.verify_per_minute,
        };
        limit.min(super::lease::PERMITS_MAX)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}
