//! What clients hear.

use std::collections::BTreeSet;
use std::time::Duration;

use super::ids::{AgentId, CredentialId, KeyId, TokenId};

/// An answer, or that there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx.
    Done(Done),
    /// 4xx: it was not done, and will not be.
    Refused(u16, String),
    /// 503 or 429: not now.
    Unavailable(u16),
    /// Another 5xx; a write may have been done.
    Broken(u16, String),
    /// None in time; a write may have been done.
    Lost,
}

/// What came with a 2xx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing that matters.
    Plain,
    /// A token, and the key that it is signed with.
    Token(TokenId, KeyId),
    /// An agent.
    Agent(AgentId),
    /// A credential.
    Credential(CredentialId),
    /// What a node says of a token: whether it is active.
    Vouched(bool),
    /// The published keys.
    Keys {
        /// All of them.
        published: BTreeSet<KeyId>,
        /// How long whoever read them may keep them.
        kept_for: Duration,
    },
}

impl Answer {
    /// Whether it was done for sure.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// Whether a write may have been done.
    pub fn may_be_done(&self) -> bool {
        !matches!(self, Self::Refused(..))
    }

    /// What it is called in a summary.
    pub fn name(&self) -> String {
        match self {
            Self::Done(Done::Vouched(true)) => "2xx active".to_owned(),
            Self::Done(Done::Vouched(false)) => "2xx inactive".to_owned(),
            Self::Done(_) => "2xx".to_owned(),
            Self::Refused(status, _) | Self::Unavailable(status) | Self::Broken(status, _) => status.to_string(),
            Self::Lost => "no answer".to_owned(),
        }
    }
}
