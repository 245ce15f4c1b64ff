//! The stations of a signing key's life.

use serde::{Deserialize, Serialize};

/// Where a signing key stands in its life. The order of the variants is part of the log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyState {
    /// In the JWKS, so that verifiers learn it before its first signature.
    Published,
    /// Signs. There is one for each algorithm.
    Current,
    /// Signs no longer, but is in the JWKS until the last token that it signed has expired.
    Retired,
}

impl KeyState {
    /// Every state, in the order of a life.
    pub const ALL: [KeyState; 3] = [KeyState::Published, KeyState::Current, KeyState::Retired];

    /// The name in metrics, tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyState::Published => "published",
            KeyState::Current => "current",
            KeyState::Retired => "retired",
        }
    }
}
