//! What the audit log is told of signing keys.

use serde::{Deserialize, Serialize};

use crate::entities::SigningAlgorithm;
use crate::replicated::{NodeId, Revision};
use crate::time::Timestamp;

/// A step that was taken, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEvent {
    /// The revision of the state that has it. One step may be several events.
    pub revision: Revision,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub deed: KeyDeed,
    /// To what: the `kid`, or a master key's fingerprint; empty if it concerns all keys.
    pub subject: String,
    /// The key's algorithm.
    pub algorithm: Option<SigningAlgorithm>,
    /// The node that proposed it.
    pub node: NodeId,
    /// The address of the operator who ordered it; absent if the schedule did.
    pub ordered_from: Option<String>,
}

/// What was done to a key. The order of the variants is part of the log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyDeed {
    /// It was published.
    Published,
    /// It began to sign.
    MadeCurrent,
    /// It left.
    Removed,
    /// It took the place of all others at once.
    Replaced,
    /// Everything was sealed with this master key.
    Resealed,
    /// Other promises came in force.
    TermsChanged,
}

impl KeyDeed {
    /// The name in the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyDeed::Published => "published",
            KeyDeed::MadeCurrent => "made_current",
            KeyDeed::Removed => "removed",
            KeyDeed::Replaced => "replaced",
            KeyDeed::Resealed => "resealed",
            KeyDeed::TermsChanged => "terms_changed",
        }
    }
}
